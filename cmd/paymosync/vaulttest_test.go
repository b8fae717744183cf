package main

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
)

// vaultServer is a Vault for tests, with KV version 2 mounted at secret/.
type vaultServer struct {
	addr, token string
	admin       *api.Client // with all rights

	program string // "" for one that runs elsewhere
	data    string
	process *exec.Cmd
}

// startVault gives a test a Vault: that of VAULT_TEST_ADDR and VAULT_TEST_TOKEN,
// or one started for the test alone. Without either the test is skipped.
func startVault(t *testing.T) *vaultServer {
	t.Helper()
	if addr := os.Getenv("VAULT_TEST_ADDR"); addr != "" {
		s := &vaultServer{addr: addr, token: os.Getenv("VAULT_TEST_TOKEN")}
		s.connect(t)
		return s
	}
	return startOwnVault(t, "vaultdev", "vault")
}

// startStoppableVault gives a test a Vault that can be stopped and started again
// over the same data, or skips it.
func startStoppableVault(t *testing.T) *vaultServer {
	t.Helper()
	return startOwnVault(t, "vaultdev")
}

func startOwnVault(t *testing.T, programs ...string) *vaultServer {
	t.Helper()
	for _, name := range programs {
		program, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		s := &vaultServer{addr: "http://" + freeAddr(t), token: "root", program: program, data: t.TempDir()}
		t.Cleanup(func() { s.Stop(t) })
		s.Start(t)
		s.connect(t)
		return s
	}
	t.Skipf("no Vault: put %s on PATH, or set VAULT_TEST_ADDR and VAULT_TEST_TOKEN where a running one will do", strings.Join(programs, " or "))
	return nil
}

func (s *vaultServer) connect(t *testing.T) {
	t.Helper()
	config := api.DefaultConfig()
	config.Address = s.addr
	client, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	client.ClearNamespace()
	client.SetToken(s.token)
	s.admin = client
	t.Cleanup(func() { config.HttpClient.CloseIdleConnections() })
}

// Start starts the program and returns when it serves.
func (s *vaultServer) Start(t *testing.T) {
	t.Helper()
	listen := strings.TrimPrefix(s.addr, "http://")
	args, ready := []string{"-listen", listen, "-root-token", s.token, "-data", s.data}, "vaultdev ready"
	if filepath.Base(s.program) == "vault" {
		args, ready = []string{"server", "-dev", "-dev-no-store-token", "-dev-listen-address", listen, "-dev-root-token-id", s.token}, "Development mode should NOT"
	}
	s.process = exec.Command(s.program, args...)
	s.process.Stderr = os.Stderr
	out, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	tooLong := time.AfterFunc(time.Minute, func() { _ = s.process.Process.Kill() })
	defer tooLong.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), ready) {
			// What it says later must not fill the pipe and stop it.
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	t.Fatalf("%s ended before it served", s.program)
}

// Stop stops the program and returns when it has ended.
func (s *vaultServer) Stop(t *testing.T) {
	t.Helper()
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(syscall.SIGTERM)
	tooLong := time.AfterFunc(20*time.Second, func() { _ = s.process.Process.Kill() })
	defer tooLong.Stop()
	_ = s.process.Wait()
	s.process = nil
}

// write writes to a path with all rights and gives what comes back.
func (s *vaultServer) write(t *testing.T, path string, data map[string]any) *api.Secret {
	t.Helper()
	secret, err := s.admin.Logical().Write(path, data)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// mountKV mounts a KV engine at a path of the test's own below the given one.
func (s *vaultServer) mountKV(t *testing.T, below, version string) string {
	t.Helper()
	path := below + unique(t)
	err := s.admin.Sys().Mount(path, &api.MountInput{Type: "kv", Options: map[string]string{"version": version}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.admin.Sys().Unmount(path) })
	if version == "2" {
		// A fresh engine of version 2 upgrades itself for a moment.
		eventually(t, "the engine is ready", func() error {
			_, err := s.admin.KVv2(path).Put(t.Context(), "ready", map[string]any{"x": "y"})
			return err
		})
	}
	return path
}

// policy allows reading paths and gives the policy's name.
func (s *vaultServer) policy(t *testing.T, paths ...string) string {
	t.Helper()
	var rules strings.Builder
	for _, path := range paths {
		rules.WriteString(`path "` + path + `" { capabilities = ["read"] }` + "\n")
	}
	name := unique(t)
	if err := s.admin.Sys().PutPolicy(name, rules.String()); err != nil {
		t.Fatal(err)
	}
	return name
}

// appRole makes a role with the policies and token times, and gives the
// environment that logs in by it.
func (s *vaultServer) appRole(t *testing.T, role map[string]any) map[string]string {
	t.Helper()
	mount := unique(t)
	if err := s.admin.Sys().EnableAuthWithOptions(mount, &api.EnableAuthOptions{Type: "approle"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.admin.Sys().DisableAuth(mount) })
	s.write(t, "auth/"+mount+"/role/r", role)
	roleID, err := s.admin.Logical().Read("auth/" + mount + "/role/r/role-id")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"VAULT_ADDR":       s.addr,
		"VAULT_AUTH_MOUNT": mount,
		"VAULT_ROLE_ID":    roleID.Data["role_id"].(string),
		"VAULT_SECRET_ID":  s.secretID(t, mount),
	}
}

func (s *vaultServer) secretID(t *testing.T, mount string) string {
	t.Helper()
	return s.write(t, "auth/"+mount+"/role/r/secret-id", nil).Data["secret_id"].(string)
}

// createToken makes a token with the policies.
func (s *vaultServer) createToken(t *testing.T, request *api.TokenCreateRequest) string {
	t.Helper()
	secret, err := s.admin.Auth().Token().Create(request)
	if err != nil {
		t.Fatal(err)
	}
	return secret.Auth.ClientToken
}

// unique is a name made of the test's.
func unique(t *testing.T) string {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(t.Name()))
	return name + "-" + strings.ToLower(time.Now().Format("150405.000000000")[7:])
}

// eventually polls until a condition holds, for half a minute.
func eventually(t *testing.T, what string, condition func() error) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s: not within half a minute: %v", what, err)
		case <-tick.C:
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
