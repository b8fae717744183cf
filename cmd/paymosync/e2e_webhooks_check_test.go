package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// A check calls PUBLIC_URL as Paymo would, and says what is wrong with what answers there.
func TestProgramWebhooksCheck(t *testing.T) {
	t.Parallel()
	w := newTold(t, paymotest.Config{Seed: 13, Entries: -1})
	w.run("migrate", "up").mustExit(exitOK)
	w.run("check").mustExit(exitOK).mustSay("ok    webhooks", "nobody answers at "+w.target()+" now")
	service := w.serve("SYNC_SCHEDULE", "@every 1h")
	w.run("check").mustExit(exitOK).mustSay("ok    webhooks", w.target()+" takes what is signed with the secret")
	w.with("PUBLIC_URL", "https://"+w.variables["HTTP_ADDR"]).run("check").mustExit(exitUnwell).mustSay("FAIL  webhooks", "call https://", "correct PUBLIC_URL")
	w.with("PUBLIC_URL", "http://no.such.host.invalid", "PAYMO_ALLOW_HTTP", "true").run("check").mustExit(exitUnwell).mustSay("FAIL  webhooks", "no.such.host.invalid")
	w.with("PAYMO_WEBHOOK_SECRET", "another-canary").run("check").mustExit(exitUnwell).mustSay("FAIL  webhooks", "refuses", "the same PAYMO_WEBHOOK_SECRET")
	for status, said := range map[int]string{
		http.StatusNotFound:         "FAIL  webhooks",
		http.StatusMovedPermanently: "FAIL  webhooks",
		http.StatusBadGateway:       "ok    webhooks",
	} {
		proxy := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Location", w.target())
			out.WriteHeader(status)
		}))
		r := w.with("PUBLIC_URL", proxy.URL).run("check")
		proxy.Close()
		r.mustSay(said)
		if fails := r.code != exitOK; fails != (said == "FAIL  webhooks") {
			t.Errorf("with a proxy that answers %d it exits with %d", status, r.code)
		}
	}
	if n := value[int](w.world, `SELECT count(*) FROM paymosync.changes`); n > 0 {
		t.Errorf("%d changes are noted", n)
	}
	service.mustStop()

	// Without PUBLIC_URL a call is answered so that Paymo drops its hook, and serve says that
	// there are some.
	service = w.with("PUBLIC_URL", "", "PAYMO_WEBHOOK_SECRET", "").start("serve")
	eventually(t, "a call is answered", func() error {
		status, err := w.post(http.DefaultClient, "model.update.Task", "", []byte("{}"))
		if err == nil && status != http.StatusGone {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
	eventually(t, "the service works", func() error {
		status, _ := w.get(http.MethodGet, "/readyz", nil)
		if status != http.StatusOK {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	if r := service.mustStop(); !strings.Contains(r.err, "hooks call, and PUBLIC_URL is not set") {
		t.Error("it does not say that hooks are left")
	}
}
