package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/vault/api"
)

// unusableSetting names the variable that Vault's client could not read from the
// environment; its own error often does not. No value is repeated.
func unusableSetting(err error) error {
	var problems []Problem
	for _, setting := range []struct {
		variable string
		check    func(string) error
		expected string
	}{
		{api.EnvVaultMaxRetries, func(s string) error { _, err := strconv.ParseUint(s, 10, 32); return err }, "a number of tries, such as 2"},
		{api.EnvRateLimit, checkRate, "requests a second, such as 10 or 10:20"},
		{api.EnvVaultClientTimeout, blamed(api.EnvVaultClientTimeout, err), "a time, such as 60s"},
		{api.EnvVaultSkipVerify, checkBool, "true or false"},
		{api.EnvVaultSRVLookup, checkBool, "true or false"},
		{api.EnvVaultDisableRedirects, checkBool, "true or false"},
		{api.EnvHTTPProxy, checkURL, "the URL of a proxy"},
		{api.EnvVaultProxyAddr, checkURL, "the URL of a proxy"},
		{api.EnvVaultCAPath, checkAuthorities, "a folder of certificates in PEM"},
	} {
		value := os.Getenv(setting.variable)
		if value != "" && setting.check(value) != nil {
			problems = append(problems, Problem{setting.variable, "not understood; expected " + setting.expected})
		}
	}
	if len(problems) > 0 {
		return &ConfigError{Problems: problems}
	}
	return unusable("VAULT_CACERT, VAULT_CACERT_BYTES, VAULT_CLIENT_CERT", err)
}

// blamed passes on an error that names a variable, whatever the variable's value.
func blamed(variable string, err error) func(string) error {
	return func(string) error {
		if strings.Contains(err.Error(), variable) {
			return err
		}
		return nil
	}
}

func checkBool(text string) error {
	_, err := strconv.ParseBool(text)
	return err
}

func checkURL(text string) error {
	_, err := url.Parse(text)
	return err
}

func checkRate(text string) error {
	var rate float64
	var burst int
	if _, err := fmt.Sscanf(text, "%f:%d", &rate, &burst); err == nil {
		return nil
	}
	_, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return err
}

// checkAuthorities complains of a VAULT_CAPATH that is no folder.
func checkAuthorities(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path) //nolint:gosec // the operator names it
	if err == nil && !info.IsDir() {
		err = errors.New("it is a file; give a folder, or the file in VAULT_CACERT")
	}
	if err != nil {
		return newProblem(api.EnvVaultCAPath, "cannot be used: %v", reason(err))
	}
	return nil
}
