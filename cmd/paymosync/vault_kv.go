package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/vault/api"
)

// kvMount is a mounted KV engine.
type kvMount struct {
	path    string // without a slash at its end
	version int
}

// read gets a secret's field.
func (v *Vault) read(ctx context.Context, reference Reference) (string, error) {
	mounts, err := v.mountsOf(ctx, reference)
	if err != nil {
		return "", err
	}
	var first error
	for _, mount := range mounts {
		text, err := v.readFrom(ctx, mount, reference)
		if err == nil {
			v.remember(reference, &mount)
			return text, nil
		}
		if first == nil {
			first = err
		}
		var vaultErr *VaultError
		if errors.As(err, &vaultErr) && !vaultErr.Denied() && !vaultErr.Missing() {
			break
		}
	}
	// The engine may have been moved, or upgraded to version 2.
	v.remember(reference, nil)
	return "", first
}

func (v *Vault) remember(reference Reference, mount *kvMount) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if mount == nil {
		delete(v.mounts, reference.Location)
		return
	}
	v.mounts[reference.Location] = *mount
}

// mountsOf finds the mount that a reference lies in. Only Vault knows where it
// ends and of which version it is; where it may not be asked, VAULT_KV_VERSION
// tells the version and every beginning of the path may be the mount.
func (v *Vault) mountsOf(ctx context.Context, reference Reference) ([]kvMount, error) {
	v.mu.Lock()
	known, ok := v.mounts[reference.Location]
	v.mu.Unlock()
	if ok {
		return []kvMount{known}, nil
	}
	segments := strings.Split(reference.Location, "/")
	if v.config.KVVersion == 1 {
		// In version 1 the place of the boundary makes no difference.
		return []kvMount{{segments[0], 1}}, nil
	}
	mount, err := v.askMount(ctx, reference)
	if err == nil {
		if v.config.KVVersion == 2 {
			mount.version = 2
		}
		return []kvMount{mount}, nil
	}
	var vaultErr *VaultError
	if v.config.KVVersion != 2 || errors.As(err, &vaultErr) && vaultErr.Temporary() {
		return nil, err
	}
	var mounts []kvMount
	for n := 1; n < len(segments); n++ {
		mounts = append(mounts, kvMount{strings.Join(segments[:n], "/"), 2})
	}
	return mounts, nil
}

func (v *Vault) askMount(ctx context.Context, reference Reference) (kvMount, error) {
	op := fmt.Sprintf("find the mount of %s", reference)
	secret, err := v.client.Logical().ReadWithContext(ctx, "sys/internal/ui/mounts/"+reference.Location)
	if err != nil {
		e := v.fail(op, err)
		switch {
		case e.tokenEnded():
			e.Hint = v.loginHint(0)
		case e.Denied():
			e.Hint = "there is no such mount, or the token's policies grant nothing below it, or the token has ended; where asking is closed, set VAULT_KV_VERSION to 1 or 2"
		}
		return kvMount{}, e
	}
	if secret == nil {
		return kvMount{}, &VaultError{Op: op, Status: http.StatusNotFound, Reason: v.String() + " does not tell its mounts", Hint: "set VAULT_KV_VERSION to 1 or 2"}
	}
	path, _ := secret.Data["path"].(string)
	engine, _ := secret.Data["type"].(string)
	if engine != "kv" && engine != "generic" {
		return kvMount{}, &VaultError{Op: op, Reason: fmt.Sprintf("%s is an engine of type %q", path, engine), Hint: "name a secret in a KV engine"}
	}
	mount := kvMount{path: strings.Trim(path, "/"), version: 1}
	if options, ok := secret.Data["options"].(map[string]any); ok && options["version"] == "2" {
		mount.version = 2
	}
	return mount, nil
}

// readFrom gets a secret's field from a known mount.
func (v *Vault) readFrom(ctx context.Context, mount kvMount, reference Reference) (string, error) {
	path, ok := strings.CutPrefix(reference.Location, mount.path+"/")
	op := fmt.Sprintf("read %s (mount %s, path %s, field %s)", reference, mount.path, path, reference.Field)
	if !ok {
		return "", &VaultError{Op: "read " + reference.String(), Reason: "it names the mount alone", Hint: "add the path of a secret below " + mount.path, missing: true}
	}
	var secret *api.KVSecret
	var err error
	policyPath := reference.Location
	if mount.version == 2 {
		policyPath = mount.path + "/data/" + path
		secret, err = v.client.KVv2(mount.path).Get(ctx, path)
	} else {
		secret, err = v.client.KVv1(mount.path).Get(ctx, path)
	}
	const leaveOutData = "leave out data/, as in `vault kv get`"
	dataInPath := mount.version == 2 && strings.HasPrefix(path, "data/")
	var response *api.ResponseError
	switch {
	case errors.Is(err, api.ErrSecretNotFound):
		e := &VaultError{Op: op, Reason: "there is no such secret", missing: true}
		e.Hint = v.orVersion(fmt.Sprintf("write it: vault kv put -mount=%s %s %s=…", mount.path, path, reference.Field))
		if dataInPath {
			e.Hint = leaveOutData
		}
		return "", e
	case err != nil:
		e := v.fail(op, err)
		switch {
		case e.tokenEnded():
			e.Hint = v.loginHint(0)
		case e.Denied() && dataInPath:
			e.Hint = fmt.Sprintf("%s; or let the token's policies read %s", leaveOutData, policyPath)
		case e.Denied():
			e.Hint = v.orVersion(fmt.Sprintf("let the token's policies read %s; if the token has ended, %s", policyPath, v.loginHint(0)))
		case !errors.As(err, &response) && !e.Temporary() && e.cause == nil && !tlsCause(err):
			// The client's complaint about the shape may quote what it found.
			e.Reason, e.Hint = fmt.Sprintf("the answer is not that of a KV engine of version %d", mount.version), "check VAULT_KV_VERSION"
		}
		return "", e
	case secret.Data == nil && mount.version == 2:
		e := &VaultError{Op: op, Reason: "the latest version of the secret is deleted", missing: true,
			Hint: fmt.Sprintf("write it again: vault kv put -mount=%s %s %s=…", mount.path, path, reference.Field)}
		return "", e
	case secret.Data == nil:
		return "", &VaultError{Op: op, Reason: "there is no such secret", Hint: "check the path, and VAULT_KV_VERSION", missing: true}
	}
	return field(op, secret.Data, reference.Field)
}

// orVersion adds to a hint that the version of the engine may be wrong, where Vault
// was not asked for it.
func (v *Vault) orVersion(hint string) string {
	if v.config.KVVersion == 0 {
		return hint
	}
	return hint + "; or check VAULT_KV_VERSION"
}

// field takes a field's text. A line break at its end is dropped: it comes along
// when a value is written from a file.
func field(op string, data map[string]any, name string) (string, error) {
	value, ok := data[name]
	if !ok {
		e := &VaultError{Op: op, Reason: "the secret has no such field", Hint: "check the name behind #", missing: true}
		var names []string
		for n := range data {
			names = append(names, n)
		}
		if near, ok := nearest(name, names, 2); ok {
			e.Hint = "did you mean #" + near + "?"
		}
		return "", e
	}
	text, ok := value.(string)
	if !ok {
		return "", &VaultError{Op: op, Reason: "the field is not a text", Hint: "write it as a JSON string", missing: true}
	}
	if text = strings.TrimRight(text, "\r\n"); text == "" {
		return "", &VaultError{Op: op, Reason: "the field is empty", Hint: "write its value", missing: true}
	}
	return text, nil
}
