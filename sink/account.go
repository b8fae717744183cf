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
