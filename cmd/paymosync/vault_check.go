package main

import (
	"context"
	"time"
)

// VaultStatus is what a check of Vault found.
type VaultStatus struct {
	Address     string
	Method      LoginMethod
	DisplayName string        // of the token; "" if it may not ask about itself
	Policies    int           // number of the token's policies
	TTL         time.Duration // left of the token; 0 for no end
	Renewable   bool
	Reference   string // the first one of the configuration, "" for none
	Mount       string // that it lies in; "" until it was read where asking is closed
	KVVersion   int
}

// Check logs in if needed, and tells about the token and the mount of the first
// reference. It reads no secret, and fails with a *VaultError.
func (v *Vault) Check(ctx context.Context) (VaultStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()
	status := VaultStatus{Address: v.Address(), Method: v.config.Method}
	if _, err := v.token(ctx, ""); err != nil {
		return status, err
	}
	secret, err := v.client.Auth().Token().LookupSelfWithContext(ctx)
	if err != nil {
		if e := v.fail("ask Vault about the token", err); !e.Denied() {
			return status, e
		}
	}
	if secret != nil {
		status.DisplayName, _ = secret.Data["display_name"].(string)
		policies, _ := secret.TokenPolicies()
		status.Policies = len(policies)
		status.TTL, _ = secret.TokenTTL()
		status.Renewable, _ = secret.TokenIsRenewable()
	}
	if len(v.config.References) == 0 {
		return status, nil
	}
	reference := v.config.References[0]
	status.Reference = reference.String()
	mounts, err := v.mountsOf(ctx, reference)
	if err != nil {
		return status, err
	}
	status.KVVersion = mounts[0].version
	if len(mounts) == 1 {
		status.Mount = mounts[0].path
	}
	return status, nil
}
