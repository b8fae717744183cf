package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/auth/approle"
	"github.com/hashicorp/vault/api/auth/kubernetes"
)

// session is a token and what Vault said of its life. The zero session is none.
type session struct {
	token     string
	ttl       time.Duration // at login; 0 for a token without an end, or of unknown end
	renewable bool
	due       time.Time // when to renew it or log in again; zero for never
	ends      time.Time // zero for never
}

// lasting is the session from now on for a time. The token is tended after about
// two thirds of it, scattered so that many processes do not ask at once.
func (s session) lasting(ttl time.Duration) session {
	s.due, s.ends = time.Time{}, time.Time{}
	if ttl > 0 {
		now := time.Now()
		share := 0.6 + 0.1*rand.Float64()
		s.due = now.Add(time.Duration(share * float64(ttl)))
		s.ends = now.Add(ttl)
	}
	return s
}

func (v *Vault) currentSession() session {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.session
}

func (v *Vault) setSession(s session) {
	v.mu.Lock()
	v.session = s
	v.mu.Unlock()
	v.client.SetToken(s.token)
	select {
	case v.changed <- struct{}{}:
	default:
	}
}

// lock holds the gate until the returned function is called. Waiting for it ends
// with the context.
func (v *Vault) lock(ctx context.Context) (func(), error) {
	select {
	case v.gate <- struct{}{}:
		return func() { <-v.gate }, nil
	case <-ctx.Done():
		return nil, v.fail("wait for a login to Vault", ctx.Err())
	}
}

// token gives the session's token, logging in if there is none. A token that was
// refused is replaced, unless Vault still knows it or someone replaced it
// meanwhile.
func (v *Vault) token(ctx context.Context, refused string) (string, error) {
	if s := v.currentSession(); s.token != refused {
		return s.token, nil
	}
	unlock, err := v.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	if s := v.currentSession(); s.token != refused {
		return s.token, nil
	}
	if refused != "" {
		if _, err := v.client.Auth().Token().LookupSelfWithContext(ctx); err == nil {
			return refused, nil
		}
	}
	if err := v.login(ctx); err != nil {
		return "", err
	}
	return v.currentSession().token, nil
}

// login starts another session. A credential that Vault refused is not shown to it
// again for a while: the error is then that of the refusal, the very same one. The
// gate must be held.
func (v *Vault) login(ctx context.Context) error {
	op := fmt.Sprintf("log in to Vault by %s", v.config.Method)
	c, err := v.credentials()
	if err != nil {
		return v.failLogin(op, err)
	}
	if err := v.refused(c); err != nil {
		return err
	}
	s, err := v.authenticate(ctx, c)
	if err != nil {
		e := v.failLogin(op, err)
		v.noteRefusal(c, e)
		return e
	}
	v.refusal = refusal{}
	v.setSession(s)
	v.logger.InfoContext(ctx, "logged in to vault", "method", string(v.config.Method), "ttl", s.ttl.String(), "renewable", s.renewable)
	return nil
}

func (v *Vault) failLogin(op string, err error) *VaultError {
	e := v.fail(op, err)
	if e.Hint == "" && !e.interrupted() {
		e.Hint = v.loginHint(e.Status)
	}
	return e
}

// credentials are those of the configured login, read afresh where they lie in a
// file.
func (v *Vault) credentials() (credential, error) {
	var c credential
	var err error
	switch v.config.Method {
	case LoginToken:
		c.secret = v.config.Token.Reveal()
	case LoginAppRole:
		c.name = v.config.RoleID.Reveal()
		c.secret, err = v.readCredential(v.config.SecretID.Reveal(), v.config.SecretFile)
	case LoginKubernetes:
		file := v.serviceAccount
		if file == "" {
			file = "/var/run/secrets/kubernetes.io/serviceaccount/token"
		}
		c.name = v.config.K8sRole
		c.secret, err = v.readCredential("", file)
	default:
		c.secret, err = v.readCredential("", v.config.TokenFile)
	}
	return c, err
}

func (v *Vault) authenticate(ctx context.Context, c credential) (session, error) {
	mount := func(usual string) string {
		if v.config.AuthMount != "" {
			return v.config.AuthMount
		}
		return usual
	}
	switch v.config.Method {
	case LoginAppRole:
		method, err := approle.NewAppRoleAuth(c.name, &approle.SecretID{FromString: c.secret}, approle.WithMountPath(mount("approle")))
		if err != nil {
			return session{}, err
		}
		return v.enter(ctx, method)
	case LoginKubernetes:
		method, err := kubernetes.NewKubernetesAuth(c.name, kubernetes.WithServiceAccountToken(c.secret), kubernetes.WithMountPath(mount("kubernetes")))
		if err != nil {
			return session{}, err
		}
		return v.enter(ctx, method)
	default:
		return v.adopt(ctx, c.secret)
	}
}

// readCredential gives a credential from the configuration or, read afresh, from
// a file: whoever rotates it rewrites the file.
func (v *Vault) readCredential(given, file string) (string, error) {
	if given != "" {
		return given, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	credential := strings.TrimSpace(string(text))
	if credential == "" {
		return "", &fs.PathError{Op: "read", Path: file, Err: errors.New("it is empty")}
	}
	v.mu.Lock()
	v.credential = credential
	v.mu.Unlock()
	return credential, nil
}

// enter logs in by a method.
func (v *Vault) enter(ctx context.Context, method api.AuthMethod) (session, error) {
	secret, err := method.Login(ctx, v.anonymous)
	if err != nil {
		return session{}, err
	}
	if secret == nil || secret.Auth == nil || secret.Auth.ClientToken == "" {
		return session{}, errors.New("the login gave no token")
	}
	ttl := time.Duration(secret.Auth.LeaseDuration) * time.Second
	s := session{token: secret.Auth.ClientToken, ttl: ttl, renewable: secret.Auth.Renewable}
	return s.lasting(ttl), nil
}

// adopt takes a token that somebody else got, and asks Vault about its life.
func (v *Vault) adopt(ctx context.Context, token string) (session, error) {
	v.client.SetToken(token)
	secret, err := v.client.Auth().Token().LookupSelfWithContext(ctx)
	if err != nil {
		// A token may be good for the secret though not for asking about itself;
		// the read will tell.
		if v.fail("", err).Denied() {
			v.logger.WarnContext(ctx, "vault does not tell about the token: it has ended, or may not ask about itself", "method", string(v.config.Method))
			return session{token: token}, nil
		}
		return session{}, err
	}
	ttl, err := secret.TokenTTL()
	if err != nil {
		return session{}, err
	}
	renewable, err := secret.TokenIsRenewable()
	if err != nil {
		return session{}, err
	}
	s := session{token: token, ttl: ttl, renewable: renewable}
	return s.lasting(ttl), nil
}

// renew prolongs the session's token. It reports false if that cannot be done or
// gained too little, near the token's greatest age: then a login is due. The gate
// must be held.
func (v *Vault) renew(ctx context.Context, s session) (bool, error) {
	if !s.renewable {
		return false, nil
	}
	secret, err := v.client.Auth().Token().RenewSelfWithContext(ctx, 0)
	if err != nil {
		e := v.fail("renew the token for Vault", err)
		if e.Temporary() && time.Now().Before(s.ends) {
			return false, e
		}
		return false, nil
	}
	if secret == nil || secret.Auth == nil {
		return false, nil
	}
	ttl := time.Duration(secret.Auth.LeaseDuration) * time.Second
	if ttl < s.ttl/3 {
		return false, nil
	}
	s.renewable = secret.Auth.Renewable
	v.setSession(s.lasting(ttl))
	v.logger.DebugContext(ctx, "renewed the vault token", "ttl", ttl.String())
	return true, nil
}
