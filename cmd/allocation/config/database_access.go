package config

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

func (d Database) party() party {
	where := d.secret().where()
	return party{
		name: "Postgres", hosts: "the host in " + where, authority: "sslrootcert in " + where, certificate: "sslcert in " + where,
		encryption: "sslmode in " + where,
	}
}

// The codes of Postgres for who may not in, from its appendix A.
const (
	codeInvalidPassword      = "28P01"
	codeInvalidAuthorization = "28000"
	codeNoDatabase           = "3D000"
	codeNotAllowed           = "42501"
)

// Explain names the setting at fault where Postgres and this process do not let each other in: as an *AccessError. Other errors it leaves as
// they are.
func (d Database) Explain(err error) error {
	var known *AccessError
	if err == nil {
		return nil
	}
	if errors.As(err, &known) {
		return known
	}
	var connect *pgconn.ConnectError
	var pg *pgconn.PgError
	if errors.As(err, &connect) && errors.As(err, &pg) {
		where := d.secret().where()
		switch pg.Code {
		case codeInvalidPassword:
			return refusal(RefusedPassword, err, "Postgres refuses the user %s: the password in %s is not this user's", connect.Config.User, where)
		case codeInvalidAuthorization:
			return refusal(RefusedUser, err, "Postgres refuses the user %s: %s; see the user, sslmode and sslcert in %s, and pg_hba.conf", connect.Config.User, pg.Message, where)
		case codeNoDatabase, codeNotAllowed:
			return refusal(RefusedDatabase, err, "Postgres refuses the user %s: %s; see the database in %s", connect.Config.User, pg.Message, where)
		}
	}
	if explained := d.party().explainTLS(err); explained != nil {
		return explained
	}
	return err
}

// parse reads the URL. Its error never shows it.
func (d Database) parse(url string) (*pgx.ConnConfig, error) {
	parsed, err := pgx.ParseConfig(url)
	if err == nil {
		return parsed, nil
	}
	where := d.secret().where()
	if file := (*fs.PathError)(nil); errors.As(err, &file) {
		return nil, refusal(BadFile, nil, "%s (not shown, it may hold a password) names a file that cannot be read: %v", where, file)
	}
	return nil, refusal(BadFile, nil, "%s (not shown, it may hold a password) cannot be read; it must be a URL such as postgres://user:password@host:5432/allocation, "+
		"with special characters of the password as %%40 and so on, only options that Postgres' clients know, and files of certificates as PEM", where)
}

var errMoved = errors.New("DATABASE_URL_FILE names another host or database than when this process began: restart it to move there")

// Refresh makes each new connection of a pool read its credentials again: the file of the URL, and the certificates that the URL names.
func (d Database) Refresh(pool *pgxpool.Config) {
	if !d.Set() {
		return
	}
	pool.BeforeConnect = func(_ context.Context, conn *pgx.ConnConfig) error {
		url, err := d.URL()
		if err != nil {
			return refusal(BadFile, err, "the URL of the database: %v", err)
		}
		fresh, err := d.parse(url)
		if err != nil {
			return err
		}
		if !sameServers(conn, fresh) {
			return refusal(RefusedDatabase, errMoved, "%v", errMoved)
		}
		conn.User, conn.Password, conn.TLSConfig, conn.Fallbacks = fresh.User, fresh.Password, fresh.TLSConfig, fresh.Fallbacks
		return d.party().checkExpiry(conn.TLSConfig)
	}
}

// sameServers: certificates and passwords are read again, and the data is what it was.
func sameServers(a, b *pgx.ConnConfig) bool {
	same := func(a, b *pgconn.FallbackConfig) bool { return a.Host == b.Host && a.Port == b.Port }
	return a.Host == b.Host && a.Port == b.Port && a.Database == b.Database && slices.EqualFunc(a.Fallbacks, b.Fallbacks, same)
}
