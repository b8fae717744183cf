package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/paymosync/paymosync/paymo"
)

// fixForPaymo says what to do about an error of Paymo.
func fixForPaymo(err error, config Config) string {
	if api, ok := errors.AsType[*paymo.APIError](err); ok {
		return fixForReply(api, config)
	}
	var limited *paymo.RateLimitError
	var redirect *paymo.RedirectError
	var decode *paymo.DecodeError
	switch {
	case errors.As(err, &limited):
		return "wait and check again; if other programs use the same key, give paymosync its own"
	case errors.As(err, &redirect), errors.As(err, &decode):
		return fixAddress
	}
	return "check that this machine reaches PAYMO_BASE_URL, and HTTPS_PROXY if there is a proxy"
}

const fixAddress = "check PAYMO_BASE_URL: it is the address before /api, usually https://app.paymoapp.com"

// fixForReply says what to do about a reply other than success.
func fixForReply(reply *paymo.APIError, config Config) string {
	scheme := paymo.Scheme(config.Paymo.AuthScheme)
	switch {
	case reply.Unauthorized() && (scheme == paymo.SchemeRaw || scheme == paymo.SchemeBasic):
		return "try PAYMO_AUTH_SCHEME=auto first; if the key is refused then too, make a new one in Paymo (your profile, API keys) and write it into the secret"
	case reply.Unauthorized():
		return "make a new API key in Paymo (your profile, API keys) and write it into the secret"
	case reply.Denied():
		return "use the key of a user whose role is Admin, and see whether the plan of the account includes the API"
	case reply.NotFound():
		return fixAddress
	case reply.Status == http.StatusTooManyRequests:
		return "wait and check again; if other programs use the same key, give paymosync its own"
	case reply.Status >= http.StatusInternalServerError:
		return "Paymo, or a proxy before it, is in trouble: wait and check again"
	}
	return "Paymo does not take the request: check PAYMO_BASE_URL, and what lies between this machine and Paymo"
}

// fixForDatabase says what to do about a connection to PostgreSQL that fails.
func fixForDatabase(err error, variable string) string {
	const missingDatabase = "3D000"
	connect, _ := errors.AsType[*pgconn.ConnectError](err)
	refusal, refused := errors.AsType[*pgconn.PgError](err)
	certificate := new(tls.CertificateVerificationError)
	if _, byVault := errors.AsType[*VaultError](err); byVault {
		return "" // it says so itself
	}
	switch {
	case refused && refusal.Code == missingDatabase && connect != nil:
		return fmt.Sprintf("createdb --owner=%s %s, or correct the database in %s", connect.Config.User, connect.Config.Database, variable)
	case refused && strings.HasPrefix(refusal.Code, "28"):
		return "check the user and the password in " + variable + ", and pg_hba.conf on the server"
	case refused && (strings.HasPrefix(refusal.Code, "57") || strings.HasPrefix(refusal.Code, "53")):
		return "wait until the server takes connections, and look into its log"
	case refused:
		return "look into the server's log; the server must be PostgreSQL 14 or newer"
	case errors.As(err, &certificate):
		return "give the server's certificate authority as sslrootcert in " + variable + ", and the host as its certificate has it"
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return "turn TLS on at the server, or write sslmode=disable into " + variable + " where the way to it is safe"
	}
	return "check the host and the port in " + variable + ", that the server runs, and that this machine reaches it"
}
