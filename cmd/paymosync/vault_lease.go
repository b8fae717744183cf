package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/jackc/pgx/v5"
)

// leaseRetry is how long the keeper of credentials waits after a try that failed, at most.
const leaseRetry = 2 * time.Second

// credentials are a database's user and password that Vault made, kept alive while they
// are in use. Vault ends them with the token that asked for them, and at their greatest
// age: then others are taken, new connections use those, and the old ones end with the
// work that they are at. Safe for concurrent use.
type credentials struct {
	vault   *Vault
	path    string // such as database/creds/paymosync
	log     *slog.Logger
	changed func()        // called when there are others: retires connections
	gate    chan struct{} // held while new ones are made

	mu      sync.Mutex // guards what follows
	current *lease
	old     []*lease

	stop  context.CancelFunc
	ended chan struct{}
}

// lease is a user and a password that Vault takes back at an end.
type lease struct {
	id, user, password string
	token              string // of the session that asked: Vault ends it with that
	renewable          bool
	ttl                time.Duration
	due, ends          time.Time
	worn               time.Time    // when others took its place
	conns              atomic.Int64 // open connections
}

// wornTerm is for how long credentials that were replaced are left alone: a connection may
// be about to be made with them.
const wornTerm = 15 * time.Second

// lasting notes that the lease has so much time from now on.
func (l *lease) lasting(ttl time.Duration) {
	now := time.Now()
	l.due, l.ends = now.Add(ttl/2), now.Add(ttl)
}

// keepCredentials begins to keep the credentials of a path; the first are made when the
// first connection asks.
func keepCredentials(vault *Vault, path string) *credentials {
	ctx, stop := context.WithCancel(context.Background())
	c := &credentials{vault: vault, path: path, log: vault.logger, gate: make(chan struct{}, 1), stop: stop, ended: make(chan struct{})}
	go c.run(ctx)
	return c
}

// Close gives the leases back. The connections are closed by then.
func (c *credentials) Close() {
	c.stop()
	<-c.ended
	ctx, cancel := context.WithTimeout(context.Background(), vaultTimeout)
	defer cancel()
	c.mu.Lock()
	leases := c.old
	if c.current != nil {
		leases = append(leases, c.current)
	}
	c.current, c.old = nil, nil
	c.mu.Unlock()
	for _, l := range leases {
		c.revoke(ctx, l)
	}
}

// connect fills the credentials into a connection that is about to be made.
func (c *credentials) connect(ctx context.Context, conn *pgx.ConnConfig) error {
	l, err := c.take(ctx)
	if err != nil {
		return err
	}
	conn.User, conn.Password = l.user, l.password
	dial := conn.DialFunc
	conn.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		opened, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		l.conns.Add(1)
		return &leasedConn{Conn: opened, lease: l}, nil
	}
	return nil
}

// leasedConn is a connection that is counted while it is open.
type leasedConn struct {
	net.Conn
	lease *lease
	once  sync.Once
}

func (c *leasedConn) Close() error {
	c.once.Do(func() { c.lease.conns.Add(-1) })
	return c.Conn.Close()
}

func (c *credentials) known() *lease {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// dueOf and endOf are when the lease is to be renewed, and when Vault takes it back.
func (c *credentials) dueOf(l *lease) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return l.due
}

func (c *credentials) endOf(l *lease) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return l.ends
}

// take gives credentials that are good now. Those who ask at once get the same.
func (c *credentials) take(ctx context.Context) (*lease, error) {
	l := c.known()
	if l != nil && time.Now().Before(c.endOf(l)) {
		return l, nil
	}
	return c.replace(ctx, l)
}

// replace takes new credentials, unless somebody has replaced those meanwhile.
func (c *credentials) replace(ctx context.Context, worn *lease) (*lease, error) {
	select {
	case c.gate <- struct{}{}:
		defer func() { <-c.gate }()
	case <-ctx.Done():
		return nil, c.vault.fail("wait for credentials from "+c.path, ctx.Err())
	}
	if l := c.known(); l != worn {
		return l, nil
	}
	fresh, err := c.vault.lease(ctx, c.path)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.current = fresh
	if worn != nil {
		worn.worn = time.Now()
		c.old = append(c.old, worn)
	}
	c.mu.Unlock()
	c.log.InfoContext(ctx, "took database credentials", "path", c.path, "user", fresh.user, "ttl", fresh.ttl.String())
	if worn != nil {
		c.changed()
	}
	return fresh, nil
}

// run keeps the credentials alive until the context ends.
func (c *credentials) run(ctx context.Context) {
	defer close(c.ended)
	failed := false
	for {
		wait := time.Second
		l := c.known()
		if l != nil {
			err := c.tend(ctx, l)
			if err != nil && ctx.Err() == nil && !failed {
				c.log.WarnContext(ctx, "database credentials are not renewed, trying again", "path", c.path, "left", time.Until(c.endOf(l)).Round(time.Second).String(), "error", err)
			}
			failed = err != nil
			c.giveBack(ctx)
			wait = min(wait, max(50*time.Millisecond, time.Until(c.dueOf(l))))
			if failed {
				wait = min(leaseRetry, max(100*time.Millisecond, l.ttl/10))
			}
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// tend renews the lease or replaces it, where one of them is due.
func (c *credentials) tend(ctx context.Context, l *lease) error {
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()
	if _, err := c.vault.tend(ctx); err != nil {
		return err
	}
	if l.token == c.vault.currentSession().token {
		if time.Now().Before(c.dueOf(l)) {
			return nil
		}
		renewed, err := c.renew(ctx, l)
		if renewed || err != nil {
			return err
		}
	}
	_, err := c.replace(ctx, l)
	return err
}

// renew prolongs a lease. It reports false where that cannot be done, or gains little:
// near its greatest age.
func (c *credentials) renew(ctx context.Context, l *lease) (bool, error) {
	if !l.renewable {
		return false, nil
	}
	secret, err := c.vault.client.Sys().RenewWithContext(ctx, l.id, int(l.ttl.Seconds()))
	if err != nil {
		e := c.vault.fail("renew the database credentials of "+c.path, err)
		if e.Temporary() {
			return false, e
		}
		return false, nil
	}
	ttl := time.Duration(secret.LeaseDuration) * time.Second
	if ttl < l.ttl*3/4 {
		return false, nil
	}
	c.mu.Lock()
	l.lasting(ttl)
	c.mu.Unlock()
	c.log.DebugContext(ctx, "renewed the database credentials", "path", c.path, "ttl", ttl.String())
	return true, nil
}

// giveBack revokes the old leases that no connection uses, and forgets those that have
// ended.
func (c *credentials) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()
	c.mu.Lock()
	old := c.old
	c.mu.Unlock()
	var left []*lease
	for _, l := range old {
		switch {
		case time.Now().After(c.endOf(l)):
		case l.conns.Load() > 0 || time.Since(l.worn) < wornTerm || !c.revoke(ctx, l):
			left = append(left, l)
		}
	}
	c.mu.Lock()
	c.old = append(left, c.old[len(old):]...)
	c.mu.Unlock()
}

func (c *credentials) revoke(ctx context.Context, l *lease) bool {
	err := c.vault.client.Sys().RevokeWithContext(ctx, l.id)
	if err != nil {
		c.log.DebugContext(ctx, "database credentials are not given back: they end by themselves", "path", c.path, "error", c.vault.fail("revoke a lease", err))
	}
	return err == nil
}

// lease asks Vault for credentials.
func (v *Vault) lease(ctx context.Context, path string) (*lease, error) {
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()
	token, err := v.token(ctx, "")
	if err != nil {
		return nil, err
	}
	l, err := v.askLease(ctx, path)
	if !isDenied(err) {
		return l, err
	}
	fresh, loginErr := v.token(ctx, token)
	switch {
	case loginErr != nil:
		return nil, loginErr
	case fresh == token:
		return nil, err
	}
	return v.askLease(ctx, path)
}

func (v *Vault) askLease(ctx context.Context, path string) (*lease, error) {
	op := "take database credentials from vault://" + path
	token := v.currentSession().token
	secret, err := v.client.Logical().ReadWithContext(ctx, path)
	var response *api.ResponseError
	switch {
	case err != nil:
		e := v.fail(op, err)
		if e.Denied() {
			e.Hint = fmt.Sprintf("let the token's policies read %s and update sys/leases/renew; if the token has ended, %s", path, v.loginHint(0))
		} else if errors.As(err, &response) && e.Hint == "" {
			e.Hint = "check the role of the database engine: vault read " + path
		}
		return nil, e
	case secret == nil:
		return nil, &VaultError{Op: op, Reason: "there is no such role", Hint: "check the path: it is vault://<mount>/creds/<role>", missing: true}
	}
	user, _ := secret.Data["username"].(string)
	password, _ := secret.Data["password"].(string)
	if user == "" || password == "" || secret.LeaseDuration <= 0 {
		return nil, &VaultError{Op: op, Reason: "the answer is not that of a database engine", Hint: "check the path: it is vault://<mount>/creds/<role>", missing: true}
	}
	l := &lease{id: secret.LeaseID, user: user, password: password, token: token, renewable: secret.Renewable && secret.LeaseID != "", ttl: time.Duration(secret.LeaseDuration) * time.Second}
	l.lasting(l.ttl)
	return l, nil
}
