package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Identity is the Paymo company that a warehouse belongs to, and who its key is.
type Identity struct {
	BaseURL   string
	CompanyID int64 // 0: the key may not read /api/company
	UserID    int64
	Role      string
	Scheme    string // the Authorization scheme that worked last
	CheckedAt time.Time
}

// Identity reads the identity that the account is pinned to; ok is false before the
// first sync.
func (s *Store) Identity(ctx context.Context) (identity Identity, ok bool, err error) {
	var company *int64
	err = s.pool.QueryRow(ctx, `
		SELECT base_url, company_id, user_id, role, scheme, checked_at
		FROM paymosync.accounts
		WHERE account = $1`, s.account).
		Scan(&identity.BaseURL, &company, &identity.UserID, &identity.Role, &identity.Scheme, &identity.CheckedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return Identity{}, false, nil
	}
	if err != nil {
		return Identity{}, false, fmt.Errorf("read the account's identity: %w", err)
	}
	if company != nil {
		identity.CompanyID = *company
	}
	return identity, true, nil
}

// PinIdentity pins the account to the identity if it is not pinned to another
// company or base URL meanwhile, and reports whether it is pinned to this one now.
func (s *Store) PinIdentity(ctx context.Context, identity Identity) (bool, error) {
	var company *int64
	if identity.CompanyID != 0 {
		company = &identity.CompanyID
	}
	tag, err := s.pool.Exec(ctx, `
		INSERT INTO paymosync.accounts AS a (account, base_url, company_id, user_id, role, scheme, checked_at)
		VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())
		ON CONFLICT (account) DO UPDATE SET
			company_id = coalesce(EXCLUDED.company_id, a.company_id),
			user_id = EXCLUDED.user_id,
			role = EXCLUDED.role,
			scheme = EXCLUDED.scheme,
			checked_at = EXCLUDED.checked_at
		WHERE a.base_url = EXCLUDED.base_url
			AND (a.company_id IS NULL OR EXCLUDED.company_id IS NULL OR a.company_id = EXCLUDED.company_id)`,
		s.account, identity.BaseURL, company, identity.UserID, identity.Role, identity.Scheme)
	if err != nil {
		return false, fmt.Errorf("pin the account's identity: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// Limits are what was learned of how much the server puts into one reply.
type Limits struct {
	LongestReply int // rows of the longest list that was found to be complete
	PageCap      int // rows at which lists are cut; 0: not found yet
}

// Limits reads what was learned; nothing before the first sync.
func (s *Store) Limits(ctx context.Context) (Limits, error) {
	var limits Limits
	err := s.pool.QueryRow(ctx, `
		SELECT longest_reply, coalesce(page_cap, 0)
		FROM paymosync.accounts
		WHERE account = $1`, s.account).Scan(&limits.LongestReply, &limits.PageCap)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Limits{}, fmt.Errorf("read the server's limits: %w", err)
	}
	return limits, nil
}

// SaveLimits saves what was learned: a longer reply, or a lower cap. A cap below a
// reply that was whole is forgotten.
func (s *Store) SaveLimits(ctx context.Context, limits Limits) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE paymosync.accounts
		SET longest_reply = greatest(longest_reply, $2),
			page_cap = CASE
				WHEN least(page_cap, nullif($3, 0)) > greatest(longest_reply, $2) THEN least(page_cap, nullif($3, 0))
			END
		WHERE account = $1`, s.account, limits.LongestReply, limits.PageCap)
	if err != nil {
		return fmt.Errorf("save the server's limits: %w", err)
	}
	return nil
}
