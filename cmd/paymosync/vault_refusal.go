package main

import (
	"crypto/sha256"
	"net/http"
	"time"
)

// How long a refused credential is not shown to Vault again. Vault locks an AppRole
// after five failed logins and forgets them when none has come for fifteen minutes:
// a credential that stays wrong must be rarer than that. A login to a locked role
// is not counted, and one that is forbidden for another reason may soon be allowed.
const (
	vaultRefusedWait = 5 * time.Minute
	vaultCountedWait = 16 * time.Minute
)

// refusal is a login that Vault refused. The zero refusal is none.
type refusal struct {
	credential [sha256.Size]byte // a hash: the credential itself is not kept
	err        *VaultError
	until      time.Time // when the same credential may be tried again
}

// credential is what a login shows to Vault.
type credential struct {
	name   string // of the role; "" for a token
	secret string
}

func (c credential) hash() [sha256.Size]byte {
	return sha256.Sum256([]byte(c.name + "\x00" + c.secret))
}

// refused gives the error of the last login if Vault refused it, its credential was
// the same, and it is too early to ask again; else nil. The gate must be held.
func (v *Vault) refused(c credential) error {
	if r := v.refusal; r.err != nil && r.credential == c.hash() && time.Now().Before(r.until) {
		return r.err
	}
	return nil
}

// noteRefusal remembers the error of a login if it means that Vault refused the
// credential. The gate must be held.
func (v *Vault) noteRefusal(c credential, e *VaultError) {
	v.refusal = refusal{}
	if !e.Refused() {
		return
	}
	wait := vaultRefusedWait
	if v.config.Method == LoginAppRole && !e.Denied() {
		wait = vaultCountedWait
	}
	v.refusal = refusal{credential: c.hash(), err: e, until: time.Now().Add(wait)}
}

// loginHint is what to do about a login that failed with a status of Vault's, 0 for
// none.
func (v *Vault) loginHint(status int) string {
	switch v.config.Method {
	case LoginToken:
		return "check VAULT_TOKEN"
	case LoginTokenFile:
		return "check VAULT_TOKEN_FILE and who writes it"
	case LoginAppRole:
		hint := "check VAULT_ROLE_ID, VAULT_SECRET_ID or VAULT_SECRET_ID_FILE, and VAULT_AUTH_MOUNT"
		if status == http.StatusForbidden {
			hint += "; Vault may have locked the role after failed logins: unlock it with `vault write -f sys/locked-users/<accessor>/unlock/<role id>`, with the accessor that `vault auth list` shows, or wait 15 minutes"
		}
		return hint
	case LoginKubernetes:
		return "check VAULT_K8S_ROLE, VAULT_AUTH_MOUNT, and that the role allows the pod's service account"
	default:
		if v.config.TokenFile != "" && v.currentSession().token != "" {
			return "check the token in " + v.config.TokenFile + ", or set VAULT_TOKEN_FILE or another way to log in"
		}
		return "no way to log in is configured: set VAULT_TOKEN, VAULT_TOKEN_FILE, VAULT_ROLE_ID with a secret id, or VAULT_K8S_ROLE"
	}
}
