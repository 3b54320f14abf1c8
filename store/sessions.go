package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/elumenta/elumenta"
)

var _ elumenta.Sessions = (*Store)(nil)

// seenInterval is how long a session's last request may be ahead of what is stored of it.
const seenInterval = 5 * time.Minute

const sessionColumns = `sessions.id, sessions.account_id, sessions.key_id, sessions.user_agent, sessions.address, sessions.created_at, sessions.last_seen_at`

func sessionFields(s *elumenta.Session) []any {
	return []any{&s.ID, &s.AccountID, &s.KeyID, &s.UserAgent, &s.Address, storedTime{&s.CreatedAt}, storedTime{&s.LastSeenAt}}
}

func sessionEnded() *elumenta.Error {
	return elumenta.Errorf(elumenta.CodeNotAuthenticated, "the session has ended: sign in again")
}

// SignIn implements elumenta.Sessions.
func (s *Store) SignIn(ctx context.Context, hash elumenta.KeyHash, n elumenta.NewSession) (*elumenta.Session, error) {
	caller, err := s.Authenticate(ctx, hash)
	if err != nil {
		return nil, err
	}
	var session *elumenta.Session
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		session, err = s.insertSession(ctx, tx, &caller.Key, &n)
		return err
	})
	return session, err
}

// SignInByLink implements elumenta.Sessions.
func (s *Store) SignInByLink(ctx context.Context, link elumenta.SessionHash, n elumenta.NewSession) (session *elumenta.Session, err error) {
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		var key elumenta.Key
		var id string
		var expires time.Time
		err := tx.QueryRowContext(ctx, `DELETE FROM sign_in_links WHERE hash = $1 RETURNING key_id, expires_at`, link[:]).Scan(&id, storedTime{&expires})
		if err == nil && s.now().Before(expires) {
			err = tx.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM keys WHERE id = $1`, id).Scan(keyFields(&key)...)
		} else if err == nil {
			err = sql.ErrNoRows
		}
		if errors.Is(err, sql.ErrNoRows) {
			session = nil // the link is gone all the same
			return nil
		}
		if err != nil {
			return err
		}
		session, err = s.insertSession(ctx, tx, &key, &n)
		return err
	})
	if err == nil && session == nil {
		err = elumenta.Errorf(elumenta.CodeNotAuthenticated, "the sign-in link was used before, or is older than %s: sign in with an API key", elumenta.SignInLinkLifetime)
	}
	return session, err
}

func (s *Store) insertSession(ctx context.Context, tx querier, key *elumenta.Key, n *elumenta.NewSession) (*elumenta.Session, error) {
	account := string(key.AccountID)
	ctx = elumenta.WithActor(ctx, ownActor(ctx, key))
	// Whoever's it was: who has its token may end it, and nobody else is to find it in this browser.
	if err := s.endSessions(ctx, tx, `hash = $1`, n.Ends[:]); err != nil {
		return nil, err
	}
	now := s.now()
	made := &elumenta.Session{ID: elumenta.NewSessionID(), AccountID: key.AccountID, KeyID: key.ID, CreatedAt: now, LastSeenAt: now,
		UserAgent: firstCharacters(n.UserAgent, elumenta.MaxUserAgent), Address: n.Address}
	hash := n.Token.Hash()
	if _, err := tx.ExecContext(ctx, `INSERT INTO sessions (id, account_id, key_id, hash, user_agent, address, created_at, last_seen_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
		string(made.ID), account, string(key.ID), hash[:], made.UserAgent, made.Address, micros(now)); err != nil {
		return nil, err
	}
	// The oldest of the same key go first: whom a key was given to ends at most one session of others.
	if err := s.endSessions(ctx, tx, `id IN (SELECT id FROM sessions WHERE account_id = $1 AND id <> $2
		ORDER BY CASE WHEN key_id = $3 THEN 0 ELSE 1 END, id
		LIMIT (SELECT CASE WHEN count(*) > $4 THEN count(*) - $4 ELSE 0 END FROM sessions WHERE account_id = $1))`,
		account, string(made.ID), string(key.ID), elumenta.MaxSessions); err != nil {
		return nil, err
	}
	return made, s.record(ctx, elumenta.AuditSignedIn, key.AccountID, string(made.ID), nil)
}

// endSessions ends the sessions that a condition selects, each on the record.
func (s *Store) endSessions(ctx context.Context, tx querier, condition string, args ...any) error {
	rows, err := tx.QueryContext(ctx, `DELETE FROM sessions WHERE `+condition+` RETURNING id, account_id`, args...)
	if err != nil {
		return err
	}
	var ended []elumenta.Session
	if err := each(rows, func() error {
		var session elumenta.Session
		err := rows.Scan(&session.ID, &session.AccountID)
		ended = append(ended, session)
		return err
	}); err != nil {
		return err
	}
	for _, session := range ended {
		if err := s.record(ctx, elumenta.AuditSignedOut, session.AccountID, string(session.ID), nil); err != nil {
			return err
		}
	}
	return nil
}

// ownActor is the actor of a context who has just been found to be a key's holder.
func ownActor(ctx context.Context, key *elumenta.Key) elumenta.Actor {
	actor := elumenta.ActorOf(ctx)
	actor.Account, actor.Key = key.AccountID, key.ID
	return actor
}

func firstCharacters(s string, most int) string {
	for i := range s {
		if most == 0 {
			return s[:i]
		}
		most--
	}
	return s
}

// Session implements elumenta.Sessions.
func (s *Store) Session(ctx context.Context, token elumenta.SessionHash) (*elumenta.Session, *elumenta.Caller, error) {
	var session elumenta.Session
	var key elumenta.Key
	var a account
	err := s.readNearly(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT `+sessionColumns+`, `+keyColumns+`, `+accountColumns+`
			FROM sessions JOIN keys ON keys.id = sessions.key_id JOIN accounts ON accounts.id = sessions.account_id WHERE sessions.hash = $1`,
			token[:]).Scan(append(append(sessionFields(&session), keyFields(&key)...), a.fields()...)...)
	})
	now := s.now()
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil, sessionEnded()
	case err != nil:
		return nil, nil, err
	case key.Expired(now), now.Sub(session.CreatedAt) >= elumenta.SessionLifetime, now.Sub(session.LastSeenAt) >= elumenta.SessionIdle+seenInterval:
		return nil, nil, sessionEnded()
	case a.Suspended:
		return nil, nil, elumenta.Errorf(elumenta.CodeAccountSuspended, "an operator suspended this account")
	}
	if now.Sub(session.LastSeenAt) >= seenInterval {
		switch err := s.seen(ctx, session.ID, now); {
		case err == nil:
			session.LastSeenAt = now
		case !elumenta.HasCode(err, elumenta.CodeUnavailable): // where nothing can be written, a session still reads
			return nil, nil, err
		}
	}
	a.Advance(s.plans(), now)
	return &session, &elumenta.Caller{Key: key, Account: a.Account}, nil
}

// seen notes that a session is in use.
func (s *Store) seen(ctx context.Context, id elumenta.SessionID, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, catchUpWait)
	defer cancel()
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, `UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2`, string(id), micros(now))
		return err
	})
}

// AccountSessions implements elumenta.Sessions.
func (s *Store) AccountSessions(ctx context.Context, account elumenta.AccountID) (sessions []elumenta.Session, err error) {
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		sessions = nil
		now := s.now()
		rows, err := q.QueryContext(ctx, `SELECT `+sessionColumns+` FROM sessions JOIN keys ON keys.id = sessions.key_id
			WHERE sessions.account_id = $1 AND sessions.created_at > $2 AND sessions.last_seen_at > $3 ORDER BY sessions.id DESC`,
			string(account), micros(now.Add(-elumenta.SessionLifetime)), micros(now.Add(-elumenta.SessionIdle-seenInterval)))
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var session elumenta.Session
			err := rows.Scan(sessionFields(&session)...)
			sessions = append(sessions, session)
			return err
		})
	})
	return sessions, err
}

// EndSession implements elumenta.Sessions.
func (s *Store) EndSession(ctx context.Context, account elumenta.AccountID, id elumenta.SessionID) error {
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		gone, err := affected(tx.ExecContext(ctx, `DELETE FROM sessions WHERE id = $1 AND account_id = $2`, string(id), string(account)))
		if err == nil && gone == 0 {
			err = elumenta.NotFound("session")
		}
		if err != nil {
			return err
		}
		return s.record(ctx, elumenta.AuditSignedOut, account, string(id), nil)
	})
}

// EndOtherSessions implements elumenta.Sessions.
func (s *Store) EndOtherSessions(ctx context.Context, account elumenta.AccountID, but elumenta.SessionID) (ended int64, err error) {
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		ended, err = affected(tx.ExecContext(ctx, `DELETE FROM sessions WHERE account_id = $1 AND id <> $2`, string(account), string(but)))
		if err != nil || ended == 0 {
			return err
		}
		return s.record(ctx, elumenta.AuditSignedOut, account, string(account), auditDetails{"sessions": ended})
	})
	return ended, err
}

// NewSignInLink implements elumenta.Sessions.
func (s *Store) NewSignInLink(ctx context.Context, key elumenta.KeyID, link elumenta.SessionToken) error {
	hash := link.Hash()
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sign_in_links (hash, key_id, expires_at) VALUES ($1, $2, $3)`,
			hash[:], string(key), micros(s.now().Add(elumenta.SignInLinkLifetime)))
		return err
	})
}

// purgeSessions removes sessions and links that have ended, and those of keys that are gone.
func (s *Store) purgeSessions(ctx context.Context) error {
	now := s.now()
	if err := s.write(ctx, func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sign_in_links WHERE expires_at <= $1`, micros(now))
		return err
	}); err != nil {
		return err
	}
	for {
		var removed int64
		if err := s.write(ctx, func(ctx context.Context, tx querier) (err error) {
			removed, err = affected(tx.ExecContext(ctx, `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE created_at <= $1 OR last_seen_at <= $2
				OR NOT EXISTS (SELECT 1 FROM keys WHERE keys.id = sessions.key_id) ORDER BY id LIMIT $3)`,
				micros(now.Add(-elumenta.SessionLifetime)), micros(now.Add(-elumenta.SessionIdle-seenInterval)), chunk))
			return err
		}); err != nil || removed < chunk {
			return err
		}
	}
}
