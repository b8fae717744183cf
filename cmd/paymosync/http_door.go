package main

import (
	"log/slog"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// door decides who may see the pages. With a password, whoever knows it. Without
// one, whoever is on this machine, and nobody where others could ask too.
type door struct {
	address  string // HTTP_ADDR
	loopback bool   // it is reached from this machine alone
	password *httpPassword
	guesses  *guesses
	log      *slog.Logger
}

// guard puts the door before a handler.
func (d *door) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var open bool
		switch {
		case d.password != nil:
			open = d.ask(w, r)
		case !d.loopback:
			say(w, http.StatusForbidden, "this page is closed, because HTTP_ADDR can be reached from other machines and no password is set: "+
				"set HTTP_PASSWORD to one or to a reference such as vault://secret/paymosync#http_password, or HTTP_ADDR to an address such as 127.0.0.1:8080, and start the service again")
		case !d.names(r.Host):
			say(w, http.StatusForbidden, "this page answers to localhost, 127.0.0.1 and [::1] alone, and was asked for by another name: use one of them, or set HTTP_PASSWORD and start the service again")
		default:
			open = true
		}
		if open {
			next.ServeHTTP(w, r)
		}
	})
}

// names reports whether a Host header names this machine. Another site whose name
// was made to lead here is refused by it: the browser sends that name.
func (d *door) names(host string) bool {
	own, _, _ := net.SplitHostPort(d.address) // it was checked when it was read
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback() || host != "" && host == strings.ToLower(own)
}

// ask asks for the password, and reports whether it was given. If not, the request
// is answered.
func (d *door) ask(w http.ResponseWriter, r *http.Request) bool {
	_, guess, ok := r.BasicAuth()
	if !ok {
		d.refuse(w, "this page asks for the password in HTTP_PASSWORD, with any user name")
		return false
	}
	right, err := d.password.is(r.Context(), guess)
	if err != nil {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(passwordRetry.Seconds()))))
		say(w, http.StatusServiceUnavailable, "the password in HTTP_PASSWORD cannot be read from Vault, so none can be checked; the log says why. It is tried again at the next request")
		return false
	}
	switch wait := d.guesses.judge(r.RemoteAddr, right); {
	case wait > 0:
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		say(w, http.StatusTooManyRequests, "too many wrong passwords from your address: wait "+wait.Round(time.Second).String())
		return false
	case !right:
		// The user name is not told: people type passwords there.
		d.log.WarnContext(r.Context(), "wrong password", "from", r.RemoteAddr)
		d.refuse(w, "this is not the password in HTTP_PASSWORD; any user name will do")
		return false
	}
	return true
}

func (d *door) refuse(w http.ResponseWriter, sentence string) {
	w.Header().Set("WWW-Authenticate", `Basic realm="paymosync", charset="UTF-8"`)
	say(w, http.StatusUnauthorized, sentence)
}
