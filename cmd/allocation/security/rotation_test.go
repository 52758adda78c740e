package security

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
)

// rotates: one worker, which is never restarted, takes what is in its files when it connects.
func rotates(s *site) {
	s.rotatesPasswords()
	s.rotatesAuthorities()
	s.rotatesCertificates()
}

func (s *site) rotatesPasswords() {
	kafkaFile, urlFile := s.file("kafka-password", passwordOf("allocation-worker")), s.file("database-url", s.databaseURL("allocation_app"), "\n")
	w := s.startWorker(s.worker().with("KAFKA_SASL_PASSWORD=", "KAFKA_SASL_PASSWORD_FILE="+kafkaFile, "DATABASE_URL=", "DATABASE_URL_FILE="+urlFile))
	w.ready()

	s.setKafkaPassword("hush-newer")
	s.passwords.Cut()
	w.lacks("kafka", "the password in KAFKA_SASL_PASSWORD_FILE ("+kafkaFile+")", "password")
	s.file("kafka-password", "hush-newer")
	w.ready()
	s.works(w)
	s.setKafkaPassword(passwordOf("allocation-worker"))
	s.file("kafka-password", passwordOf("allocation-worker"))
	s.passwords.Cut()
	s.works(w)

	s.administer("postgres", "alter role allocation_app password 'hush-newer'")
	s.endSessions("allocation_app")
	w.lacks("postgres", "the password in DATABASE_URL_FILE ("+urlFile+")", "password")
	s.file("database-url", s.databaseURLWith("hush-newer"))
	w.ready()
	s.works(w)

	s.file("database-url", strings.Replace(s.databaseURLWith("hush-newer"), "127.0.0.1", "localhost", 1))
	s.endSessions("allocation_app")
	w.lacks("postgres", "names another host or database", "database")
	s.administer("postgres", "alter role allocation_app password '"+passwordOf("allocation_app")+"'")
	s.file("database-url", s.databaseURL("allocation_app"))
	w.ready()
	s.works(w)
	w.stop()
}

func (s *site) setKafkaPassword(password string) {
	s.t.Helper()
	results, err := kadm.NewClient(s.admin).AlterUserSCRAMs(s.t.Context(), nil, []kadm.UpsertSCRAM{
		{User: "allocation-worker", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: password},
	})
	require.NoError(s.t, err)
	for _, result := range results {
		require.NoError(s.t, result.Err)
	}
}

func (s *site) rotatesAuthorities() {
	authority := s.file("authority.pem", s.known.pem())
	w := s.startWorker(s.worker().with("KAFKA_TLS_CA_FILE="+authority, "DATABASE_URL="+s.databaseURL("allocation_app", "sslrootcert", authority)))
	w.ready()

	s.lead(s.passwords, ofStranger)
	s.servePostgres(ofStranger)
	s.endSessions("allocation_app")
	w.lacks("kafka", "KAFKA_TLS_CA_FILE ("+authority+")", "unknown_authority")
	w.lacks("postgres", "sslrootcert in DATABASE_URL", "unknown_authority")
	s.file("authority.pem", s.known.pem(), s.stranger.pem())
	w.ready()
	s.works(w)
	s.lead(s.passwords, withPasswords)
	s.servePostgres("good")
	s.endSessions("allocation_app")
	s.works(w)
	w.stop()
}

func (s *site) rotatesCertificates() {
	w := s.startWorker(s.certified("allocation-worker").with("DATABASE_URL=" + s.withCertificate()))
	w.ready()

	s.identity("allocation-worker", s.known.issue("allocation-worker", past()))
	s.mutual.Cut()
	w.lacks("kafka", "KAFKA_TLS_CERT_FILE ("+filepath.Join(s.dir, "allocation-worker.crt")+")", "client_certificate")
	s.identity("allocation-worker", s.known.issue("allocation-worker", soon()))
	w.ready()
	s.works(w)

	require.NoError(s.t, os.Remove(filepath.Join(s.dir, "with_certificate.key")))
	s.endSessions("with_certificate")
	w.lacks("postgres", "with_certificate.key: no such file", "file")
	s.identity("with_certificate", s.known.issue("with_certificate", past()))
	w.lacks("postgres", "sslcert in DATABASE_URL", "client_certificate")
	s.identity("with_certificate", s.known.issue("with_certificate", soon()))
	w.ready()
	s.works(w)
	w.stop()
}
