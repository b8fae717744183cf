package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func (p *parser) vault() VaultConfig {
	raw := p.raw
	c := VaultConfig{
		Address: raw.VaultAddr, Namespace: raw.VaultNamespace,
		Token: NewSecret(raw.VaultToken), TokenFile: raw.VaultTokenFile,
		RoleID: NewSecret(raw.VaultRoleID), SecretID: NewSecret(raw.VaultSecretID), SecretFile: raw.VaultSecretIDFile,
		K8sRole: raw.VaultK8sRole, AuthMount: strings.Trim(raw.VaultAuthMount, "/"),
		CACert: raw.VaultCACert, CACertBytes: raw.VaultCACertBytes, CAPath: raw.VaultCAPath,
		ClientCert: raw.VaultClientCert, ClientKey: raw.VaultClientKey,
		TLSServerName: raw.VaultTLSServerName,
		SkipVerify:    p.boolean("VAULT_SKIP_VERIFY", raw.VaultSkipVerify),
	}
	c.Method = p.vaultMethod()
	if home, ok := p.env.Lookup("HOME"); ok && c.Method == LoginHome {
		c.TokenFile = filepath.Join(home, ".vault-token")
	}
	if raw.VaultKVVersion != "" {
		c.KVVersion, _ = strconv.Atoi(p.oneOf("VAULT_KV_VERSION", raw.VaultKVVersion, "1", "2"))
	}
	p.vaultAddr()
	p.vaultCertificates(c)
	if c.SkipVerify {
		p.warn("VAULT_SKIP_VERIFY is on: anyone on the way to Vault can read its secrets; give Vault's authority in VAULT_CACERT instead")
	}
	return c
}

// vaultCertificates reads the certificates: Vault's client would complain of them one
// at a time, and without naming the variable.
func (p *parser) vaultCertificates(c VaultConfig) {
	readable := map[string]bool{}
	for _, file := range []struct{ variable, name string }{
		{"VAULT_CACERT", c.CACert}, {"VAULT_CAPATH", c.CAPath}, {"VAULT_CLIENT_CERT", c.ClientCert}, {"VAULT_CLIENT_KEY", c.ClientKey},
	} {
		if file.name == "" {
			continue
		}
		if _, err := os.Stat(file.name); err != nil {
			p.fail(file.variable, "cannot read %q: %v", file.name, reason(err))
			continue
		}
		readable[file.variable] = true
	}
	if readable["VAULT_CACERT"] {
		text, err := os.ReadFile(c.CACert)
		if err != nil {
			p.fail("VAULT_CACERT", "cannot read %q: %v", c.CACert, reason(err))
		} else if !x509.NewCertPool().AppendCertsFromPEM(text) {
			p.fail("VAULT_CACERT", "%q holds no certificate in PEM", c.CACert)
		}
	}
	if c.CACertBytes != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(c.CACertBytes)) {
		p.fail("VAULT_CACERT_BYTES", "holds no certificate in PEM")
	}
	if (c.ClientCert == "") != (c.ClientKey == "") {
		p.fail("VAULT_CLIENT_CERT", "goes together with VAULT_CLIENT_KEY: set both or neither")
	}
	if readable["VAULT_CLIENT_CERT"] && readable["VAULT_CLIENT_KEY"] {
		if _, err := tls.LoadX509KeyPair(c.ClientCert, c.ClientKey); err != nil {
			p.fail("VAULT_CLIENT_CERT", "%q and VAULT_CLIENT_KEY are no pair of certificate and key in PEM: %v", c.ClientCert, reason(err))
		}
	}
}

func (p *parser) vaultAddr() {
	value := p.raw.VaultAddr
	if value == "" || strings.HasPrefix(value, "unix:///") {
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		p.fail("VAULT_ADDR", "not an absolute URL; example: https://vault.example.com:8200")
	} else if u.User != nil || strings.ContainsAny(value, "?#") {
		p.fail("VAULT_ADDR", "holds a user, a query or a fragment; example: https://vault.example.com:8200")
	}
}

// vaultMethod finds the one login method that is configured.
func (p *parser) vaultMethod() LoginMethod {
	raw := p.raw
	var methods []LoginMethod
	var variables []string
	use := func(method LoginMethod, names ...string) {
		for _, name := range names {
			if _, ok := p.env.Lookup(name); ok {
				methods, variables = append(methods, method), append(variables, name)
				return
			}
		}
	}
	use(LoginToken, "VAULT_TOKEN")
	use(LoginTokenFile, "VAULT_TOKEN_FILE")
	use(LoginAppRole, "VAULT_ROLE_ID", "VAULT_SECRET_ID", "VAULT_SECRET_ID_FILE")
	use(LoginKubernetes, "VAULT_K8S_ROLE")
	if len(methods) > 1 {
		p.fail(variables[0], "set together with %s: keep one way to log in to Vault", strings.Join(variables[1:], " and "))
	}
	switch {
	case raw.VaultRoleID == "" && raw.VaultSecretID != "":
		p.fail("VAULT_ROLE_ID", "not set, though VAULT_SECRET_ID is: AppRole needs both")
	case raw.VaultRoleID == "" && raw.VaultSecretIDFile != "":
		p.fail("VAULT_ROLE_ID", "not set, though VAULT_SECRET_ID_FILE is: AppRole needs both")
	case raw.VaultRoleID != "" && raw.VaultSecretID == "" && raw.VaultSecretIDFile == "":
		p.fail("VAULT_SECRET_ID", "not set, nor is VAULT_SECRET_ID_FILE: AppRole needs one of them beside VAULT_ROLE_ID")
	case raw.VaultSecretID != "" && raw.VaultSecretIDFile != "":
		p.fail("VAULT_SECRET_ID", "set together with VAULT_SECRET_ID_FILE: keep one")
	}
	return append(methods, LoginHome)[0]
}
