package security

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

const accessRules = `host all postgres all trust
hostssl all with_certificate all cert
hostssl all all all scram-sha-256
`

func (s *site) startPostgres() {
	s.postgres = testbed.StartPostgres(s.t)
	for name, id := range map[string]identity{
		"good":       s.known.issue("postgres", soon(), "127.0.0.1"),
		expired:      s.known.issue("postgres", past(), "127.0.0.1"),
		ofStranger:   s.stranger.issue("postgres", soon(), "127.0.0.1"),
		forOtherHost: s.known.issue("postgres", soon(), "postgres.example", "127.0.0.2"),
	} {
		s.serverFile(name+".crt", id.cert)
		s.serverFile(name+".key", id.key)
	}
	s.serverFile("ca.crt", s.known.pem())
	s.serverFile("pg_hba.conf", accessRules)
	s.administer("postgres", "alter system set ssl_ca_file = 'ca.crt'")
	s.administer("postgres", "alter system set ssl = on")
	s.administer("postgres", "alter system set password_encryption = 'scram-sha-256'")
	s.servePostgres("good")
	s.makeRoles()
}

// serverFile writes a file into the server's data folder, as the server.
func (s *site) serverFile(name, content string) {
	s.t.Helper()
	s.administer("postgres", fmt.Sprintf(`copy (select unnest(string_to_array('%s', E'\n'))) to program 'umask 077; cat > %s'`,
		strings.TrimSuffix(content, "\n"), name))
}

// administer runs statements as the superuser, as psql would.
func (s *site) administer(database, statements string) {
	s.t.Helper()
	programtest.Administer(s.t, s.superuserURL(database), statements)
}

func (s *site) superuserURL(database string) string {
	s.t.Helper()
	u, err := url.Parse(s.postgres.URL())
	require.NoError(s.t, err)
	u.Path = "/" + database
	return u.String()
}

// servePostgres gives the server another certificate, and returns when it serves that.
func (s *site) servePostgres(name string) {
	s.t.Helper()
	before := s.servedByPostgres()
	s.administer("postgres", fmt.Sprintf("alter system set ssl_cert_file = '%s.crt'", name))
	s.administer("postgres", fmt.Sprintf("alter system set ssl_key_file = '%s.key'", name))
	s.administer("postgres", "select pg_reload_conf()")
	testbed.Eventually(s.t, func() bool { return s.servedByPostgres() != before })
}

// servedByPostgres is the certificate that a new connection sees; empty where there is none.
func (s *site) servedByPostgres() (served string) {
	s.t.Helper()
	config, err := pgx.ParseConfig(s.postgres.URL())
	require.NoError(s.t, err)
	config.TLSConfig = &tls.Config{InsecureSkipVerify: true, VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
		served = string(raw[0])
		return nil
	}}
	if conn, err := pgx.ConnectConfig(s.t.Context(), config); err == nil {
		_ = conn.Close(s.t.Context())
	}
	return served
}

// makeRoles types what SECURITY.md says, and migrates.
func (s *site) makeRoles() {
	s.t.Helper()
	blocks := s.statements()
	s.administer("postgres", "create role with_certificate login")
	for _, statement := range strings.SplitAfter(blocks[0], ";\n") { // a database is made outside of a transaction
		s.administer("postgres", statement)
	}
	s.done(s.database("allocation_owner"), "migrate", "up")
	s.administer("postgres", "grant allocation_worker to with_certificate; grant connect on database allocation to with_certificate")
}

// statements are the blocks of SQL in SECURITY.md, with passwords for psql's variables.
func (s *site) statements() []string {
	s.t.Helper()
	var blocks []string
	for _, part := range strings.Split(s.document, "\n```sql\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		for _, user := range []string{"owner", "app", "ops"} {
			block = strings.ReplaceAll(block, ":'"+user+"_password'", "'"+passwordOf("allocation_"+user)+"'")
		}
		blocks = append(blocks, block)
	}
	require.Len(s.t, blocks, 1)
	return blocks
}

// endSessions makes clients connect again.
func (s *site) endSessions(user string) {
	s.t.Helper()
	s.administer("postgres", fmt.Sprintf("select pg_terminate_backend(pid) from pg_stat_activity where usename = '%s'", user))
}
