package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

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
	codeNotReady             = "55000" // a setting is unbearable, which a hint says; else the database takes no connections for now
)

// Explain names the setting at fault where Postgres and this process do not let each other in: as
// an *AccessError. Other errors it leaves as they are.
func (d Database) Explain(err error) error {
	return explain(err, d.explainCode, d.party().explainTLS)
}

// explainCode goes by the code of Postgres' answer to an attempt to connect; nil: it says nothing
// about access.
func (d Database) explainCode(err error) error {
	var refused *pgconn.ConnectError
	var pg *pgconn.PgError
	if !errors.As(err, &refused) || !errors.As(err, &pg) {
		return nil
	}
	connect := refused.Config
	where := d.secret().where()
	switch {
	case pg.Code == codeInvalidPassword && !d.Set():
		return refusal(RefusedPassword, err, "%v", d.noDevPassword())
	case pg.Code == codeInvalidPassword && connect.Password == "":
		return refusal(RefusedPassword, err, "Postgres wants a password of the user %s, and %s has none, nor has a password file", connect.User, where)
	case pg.Code == codeInvalidPassword:
		return refusal(RefusedPassword, err, "Postgres refuses the user %s: the password in %s is not this user's", connect.User, where)
	case pg.Code == codeInvalidAuthorization:
		return refusal(RefusedUser, err, "Postgres refuses the user %s: %s; see the user, sslmode and sslcert in %s, and pg_hba.conf", connect.User, pg.Message, where)
	case aboutOption(pg):
		return refusal(RefusedOption, err, "Postgres refuses an option in %s: %s; take it out there, or correct it; allowed are the options of Postgres' clients, such as "+
			"sslmode and connect_timeout, and settings that this user may set, such as statement_timeout", where, pg.Message)
	case pg.Code == codeUnknownSetting: // the session's own
		return refusal(RefusedServer, err, "this Postgres is too old: %s; it must be version 14 at least, or %s must name another", pg.Message, where)
	case pg.Code == codeNotReady && pg.Hint != "":
		return refusal(RefusedServer, err, "Postgres is set up so that nothing can be promised: %s. %s", pg.Message, pg.Hint)
	case pg.Code == codeNotAllowed && pg.Detail != "":
		return refusal(RefusedDatabase, err, "Postgres refuses the user %s: %s; as an administrator, `grant connect on database %s to %s`, or see the database in %s",
			connect.User, pg.Message, quoted(connect.Database), quoted(connect.User), where)
	case pg.Code == codeNoDatabase, pg.Code == codeNotAllowed:
		return refusal(RefusedDatabase, err, "Postgres refuses the user %s: %s; see the database in %s", connect.User, pg.Message, where)
	}
	return nil
}

// noDevPassword says why the password of dev's Postgres is not known here.
func (d Database) noDevPassword() error {
	file := DevFolder + "/" + DevPasswordFile
	why := "is that of another one"
	if _, err := os.ReadFile(file); err != nil {
		why = "cannot be read here: " + fileProblem(err)
	}
	return fmt.Errorf("the Postgres of the command dev wants its password, and %s %s; run this in the folder in which dev runs, as the same user, "+
		"or set %s or %[3]s_FILE", file, why, d.Variable())
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// parse reads the URL. Its error never shows it.
func (d Database) parse(url string) (*pgx.ConnConfig, error) {
	where := d.secret().where()
	if strings.Contains(url, "://") && !keywords.MatchString(url) && !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		// It would be taken for a list of options, and lead to a server that nobody named.
		return nil, refusal(BadFile, nil, "%s (not shown, it may hold a password) must begin with postgres:// or postgresql://, without a space, a quotation mark or anything else before it", where)
	}
	pool, err := pgxpool.ParseConfig(url)
	if err == nil {
		if _, set := pool.ConnConfig.RuntimeParams["replication"]; set {
			return nil, refusal(RefusedOption, nil, "the option replication in %s must be left out: a session that replicates takes no statements", where)
		}
		return pool.ConnConfig, nil
	}
	if file := (*fs.PathError)(nil); errors.As(err, &file) {
		return nil, refusal(BadFile, nil, "%s (not shown, it may hold a password) names a file that cannot be read: %v", where, file)
	}
	if name, allowed := badOption(url); name != "" {
		return nil, refusal(RefusedOption, nil, "the option %s in %s (not shown, it may hold a password) must be %s", name, where, allowed)
	}
	return nil, refusal(BadFile, nil, "%s (not shown, it may hold a password) cannot be read; it must be a URL such as postgres://user:password@host:5432/database, "+
		"with special characters of the password as %%40 and so on, only options that Postgres' clients know, and files of certificates as PEM", where)
}

// keywords is how options begin that are given as name=value.
var keywords = regexp.MustCompile(`^[a-z_]+ *=`)

var errMoved = errors.New("the file of the database's URL names another host or database than when this process began: restart it to move there")

// Refresh makes each new connection of a pool read its credentials again: the file of the URL, and
// the certificates that the URL names.
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
