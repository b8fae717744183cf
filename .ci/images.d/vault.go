// Command vault stands in for HashiCorp's of that name, with as much of its command line as
// docker-compose.yml uses. The server is `vaultdev`, a real core of Vault.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hashicorp/vault/api"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "vault:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	flags, words, err := split(args)
	if err != nil {
		return err
	}
	if len(words) > 0 && words[0] == "server" {
		return serve(flags)
	}
	client, err := api.NewClient(nil) // takes VAULT_ADDR and VAULT_TOKEN
	if err != nil {
		return err
	}
	switch command := strings.Join(words[:min(2, len(words))], " "); {
	case command == "status":
		return status(client)
	case command == "kv put" && len(words) == 4:
		return put(client, flags["mount"], words[2], words[3])
	case command == "policy write" && len(words) == 4 && words[3] == "-":
		rules, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		return client.Sys().PutPolicy(words[2], string(rules))
	case command == "auth list":
		mounts, err := client.Sys().ListAuth()
		for path := range mounts {
			fmt.Println(path)
		}
		return err
	case command == "auth enable" && len(words) == 3:
		return client.Sys().EnableAuthWithOptions(words[2], &api.EnableAuthOptions{Type: words[2]})
	case len(words) >= 2 && words[0] == "write":
		return write(client, flags, words[1], words[2:])
	}
	return fmt.Errorf("the stand-in does not know %q", args)
}

// split takes -name and -name=value out of the arguments.
func split(args []string) (map[string]string, []string, error) {
	known := []string{"dev", "dev-root-token-id", "dev-listen-address", "dev-no-store-token", "mount", "force", "field"}
	flags, words := map[string]string{}, []string{}
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			words = append(words, arg)
			continue
		}
		name, value, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if !slices.Contains(known, name) {
			return nil, nil, fmt.Errorf("the stand-in has no flag -%s", name)
		}
		flags[name] = value
	}
	return flags, words, nil
}

// serve becomes the server. As the original, it leaves the root token in the home folder.
func serve(flags map[string]string) error {
	if _, ok := flags["dev"]; !ok {
		return errors.New("the stand-in has a development server only")
	}
	token := flags["dev-root-token-id"]
	if _, ok := flags["dev-no-store-token"]; !ok {
		if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), ".vault-token"), []byte(token), 0o600); err != nil {
			return err
		}
	}
	server := "/usr/local/bin/vaultdev"
	return syscall.Exec(server, []string{server, "-listen", flags["dev-listen-address"], "-root-token", token}, os.Environ())
}

func status(client *api.Client) error {
	seal, err := client.Sys().SealStatus()
	if err != nil {
		return err
	}
	fmt.Printf("Sealed %t\nVersion %s\n", seal.Sealed, seal.Version)
	if seal.Sealed {
		return errors.New("sealed")
	}
	return nil
}

func put(client *api.Client, mount, path, pair string) error {
	key, value, ok := strings.Cut(pair, "=")
	if !ok {
		return fmt.Errorf("want KEY=VALUE, not %q", pair)
	}
	if value == "-" {
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		value = string(text)
	}
	secret, err := client.KVv2(mount).Put(context.Background(), path, map[string]any{key: value})
	if err == nil {
		fmt.Printf("%s/data/%s version %d\n", mount, path, secret.VersionMetadata.Version)
	}
	return err
}

func write(client *api.Client, flags map[string]string, path string, pairs []string) error {
	data := map[string]any{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("want KEY=VALUE, not %q", pair)
		}
		data[key] = value
	}
	if _, ok := flags["force"]; !ok && len(data) == 0 {
		return errors.New("nothing to write, and no -force")
	}
	secret, err := client.Logical().Write(path, data)
	if err != nil {
		return err
	}
	field, ok := flags["field"]
	switch {
	case !ok:
		fmt.Println("Success! Data written to:", path)
	case secret == nil || secret.Data[field] == nil:
		return fmt.Errorf("%s gave no %s", path, field)
	default:
		fmt.Print(secret.Data[field])
	}
	return nil
}
