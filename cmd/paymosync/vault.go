package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"
)

// vaultTimeout bounds a read of a secret, with the login that it may need, and
// each step of keeping the token alive.
const vaultTimeout = 5 * time.Second

// Vault reads secrets. It logs in when the first is asked for, and again when its
// token has ended; Run keeps the token alive meanwhile. It is safe for concurrent
// use, and remembers no secret but its token.
type Vault struct {
	config VaultConfig
	logger *slog.Logger

	client    *api.Client // bears the session's token
	anonymous *api.Client // bears none: a login must not depend on an ended token
	http      *http.Client

	gate    chan struct{} // held while logging in or renewing
	refusal refusal       // of the last login; whoever holds the gate has it
	changed chan struct{} // filled when there is another session

	mu         sync.Mutex // guards what follows
	session    session
	credential string             // last one read from a file, to keep it out of errors
	mounts     map[string]kvMount // by location

	serviceAccount string // file with the pod's token, "" for the usual place
}

// NewVault makes a client of Vault and asks nothing of it yet. It fails with a
// *ConfigError when a certificate or a setting of Vault's client is unusable. A
// nil logger discards.
func NewVault(config VaultConfig, logger *slog.Logger) (*Vault, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	v := &Vault{
		config:  config,
		logger:  logger,
		gate:    make(chan struct{}, 1),
		changed: make(chan struct{}, 1),
		mounts:  map[string]kvMount{},
	}
	settings, err := clientSettings(config)
	if err != nil {
		return nil, err
	}
	v.http = settings.HttpClient
	for _, client := range []**api.Client{&v.client, &v.anonymous} {
		c, err := api.NewClient(settings)
		if err != nil {
			if os.Getenv(api.EnvVaultHeaders) != "" && strings.Contains(strings.ToLower(err.Error()), "header") {
				return nil, newProblem(api.EnvVaultHeaders, "not understood; expected a JSON object of texts, without names that begin with X-Vault-")
			}
			return nil, unusable("VAULT_ADDR", err)
		}
		c.ClearToken()
		c.ClearNamespace()
		if config.Namespace != "" {
			c.SetNamespace(config.Namespace)
		}
		*client = c
	}
	return v, nil
}

// clientSettings are those that Vault's client reads from the environment, with
// the configuration's laid over them: it may come from a file.
func clientSettings(config VaultConfig) (*api.Config, error) {
	settings := api.DefaultConfig()
	if settings.Error != nil {
		return nil, unusableSetting(settings.Error)
	}
	if config.Address != "" {
		settings.Address = config.Address
	}
	err := checkAuthorities(config.CAPath)
	if err != nil {
		return nil, err
	}
	err = settings.ConfigureTLS(&api.TLSConfig{
		CACert:        config.CACert,
		CACertBytes:   []byte(config.CACertBytes),
		CAPath:        config.CAPath,
		ClientCert:    config.ClientCert,
		ClientKey:     config.ClientKey,
		TLSServerName: config.TLSServerName,
		Insecure:      config.SkipVerify,
	})
	if err != nil {
		return nil, unusable("VAULT_CACERT, VAULT_CLIENT_CERT", err)
	}
	// Vault's client waits a second and more between its tries, which a read of
	// five seconds cannot afford.
	settings.MinRetryWait, settings.MaxRetryWait = 100*time.Millisecond, 500*time.Millisecond
	return settings, nil
}

func unusable(variables string, err error) error {
	if _, ok := errors.AsType[*url.Error](err); ok {
		// It repeats the address, which may hold a password.
		return newProblem(variables, "a setting of Vault's client is unusable: an address is not understood")
	}
	return newProblem(variables, "a setting of Vault's client is unusable: %v", err)
}

// String names the client and shows nothing of it.
func (v *Vault) String() string { return "vault at " + v.client.Address() }

// GoString is String.
func (v *Vault) GoString() string { return v.String() }

// Address is where Vault is looked for.
func (v *Vault) Address() string { return v.client.Address() }

// Close lets go of idle connections. The client can be used on.
func (v *Vault) Close() { v.http.CloseIdleConnections() }

// Resolve gives the secret that a reference names, read afresh each time, and any
// other text as it is. It takes five seconds at most and fails with a *VaultError.
func (v *Vault) Resolve(ctx context.Context, text string) (string, error) {
	if !strings.HasPrefix(text, referencePrefix) {
		return text, nil
	}
	reference, err := ParseReference(text)
	if err != nil {
		return "", &VaultError{Op: "read a secret", Reason: "the reference " + err.Error(), Hint: "write it as vault://<mount>/<path>#<field>"}
	}
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()

	token, err := v.token(ctx, "")
	if err != nil {
		return "", err
	}
	secret, err := v.read(ctx, reference)
	if !isDenied(err) {
		return secret, err
	}
	// The token may have ended. If it has not, or the login gives the same one
	// again, the denial stands.
	fresh, loginErr := v.token(ctx, token)
	switch {
	case loginErr != nil:
		return "", loginErr
	case fresh == token:
		return "", err
	}
	return v.read(ctx, reference)
}

func isDenied(err error) bool {
	var vaultErr *VaultError
	return errors.As(err, &vaultErr) && vaultErr.Denied()
}

// tlsCause reports a failed check of certificates, or a server that speaks no TLS:
// waiting cures neither.
func tlsCause(err error) bool {
	var verification *tls.CertificateVerificationError
	return errors.As(err, &verification) || errors.Is(err, http.ErrSchemeMismatch)
}
