package security

// namesTheSetting: what is wrong is said in one line, by every command alike.
func namesTheSetting(s *site) {
	s.kafkaNamesTheSetting()
	s.postgresNamesTheSetting()
}

func (s *site) kafkaNamesTheSetting() {
	producer, worker := s.user("allocation-producer"), s.worker()
	send, run := []string{"send", "Allocate", "orderid=o1", "sku=CHAIR", "qty=1"}, []string{"worker", "--http-addr=127.0.0.1:0"}
	passwordFile := s.file("kafka-password", "stale")
	late, lateKey := s.identity("late", s.known.issue("allocation-producer", past()))
	alien, alienKey := s.identity("alien", s.stranger.issue("allocation-producer", soon()))
	mutual := s.certified("allocation-producer")
	without := func(protocol string, unset ...string) []string {
		wrong := []string{"KAFKA_SECURITY_PROTOCOL=" + protocol}
		for _, variable := range unset {
			wrong = append(wrong, variable+"=")
		}
		return wrong
	}
	const mechanism, user, password, ca = "KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD", "KAFKA_TLS_CA_FILE"
	at := func(listener string) string { return "KAFKA_BROKERS=" + s.kafka.Address(listener) }
	for _, c := range []struct {
		wrong []string
		base  environment // the producer's and the worker's, where it is nil
		waits bool        // a worker does: the same is seen of a broker that stops
		says  []string
	}{
		{wrong: []string{"KAFKA_SASL_PASSWORD=hush-wrong"}, says: []string{"KAFKA_SASL_PASSWORD", "allocation-", "password"}},
		{wrong: []string{"KAFKA_SASL_PASSWORD=hush-wrong", "KAFKA_SASL_MECHANISM=PLAIN"}, says: []string{"KAFKA_SASL_PASSWORD", "PLAIN"}},
		{wrong: []string{"KAFKA_SASL_PASSWORD=", "KAFKA_SASL_PASSWORD_FILE=" + passwordFile}, says: []string{"KAFKA_SASL_PASSWORD_FILE", passwordFile}},
		{wrong: []string{"KAFKA_SASL_USERNAME=nobody"}, says: []string{"KAFKA_SASL_USERNAME", "nobody"}},
		{wrong: []string{"KAFKA_TLS_CA_FILE=" + s.dir + "/stranger.pem"}, says: []string{"KAFKA_TLS_CA_FILE", "stranger.pem", "authority"}},
		{wrong: []string{at(ofStranger)}, says: []string{"KAFKA_TLS_CA_FILE", "ca.pem", "authority"}},
		{wrong: []string{at(expired)}, says: []string{"Kafka's certificate expired at 20", "renew"}},
		{wrong: []string{at(forOtherHost)}, says: []string{"KAFKA_BROKERS", "another host name", "valid for 127.0.0.2, not 127.0.0.1"}},
		{wrong: []string{"KAFKA_BROKERS=" + s.kafka.Brokers()}, waits: true, says: []string{"KAFKA_SECURITY_PROTOCOL", "TLS"}},
		{wrong: without("PLAINTEXT", mechanism, user, password, ca), says: []string{"Kafka speaks TLS there", "KAFKA_SECURITY_PROTOCOL PLAINTEXT", "use SSL or SASL_SSL"}},
		{wrong: without("SASL_PLAINTEXT", ca), says: []string{"Kafka speaks TLS there", "KAFKA_SECURITY_PROTOCOL SASL_PLAINTEXT", "use SSL or SASL_SSL"}},
		{wrong: append(without("SASL_PLAINTEXT", ca), "KAFKA_BROKERS="+s.kafka.Brokers()), says: []string{"Kafka takes no passwords there", "use PLAINTEXT"}},
		{wrong: without("SSL", mechanism, user, password), waits: true, says: []string{"hangs up on KAFKA_SECURITY_PROTOCOL SSL", "such as SASL_SSL"}},
		{wrong: []string{"KAFKA_SASL_MECHANISM=SCRAM-SHA-256", at(onlyPlain)}, says: []string{"KAFKA_SASL_MECHANISM SCRAM-SHA-256", "use another"}},
		{wrong: []string{"KAFKA_TLS_CERT_FILE=" + late, "KAFKA_TLS_KEY_FILE=" + lateKey}, base: mutual, says: []string{"KAFKA_TLS_CERT_FILE", "late.crt", "expired"}},
		{wrong: []string{"KAFKA_TLS_CERT_FILE=" + alien, "KAFKA_TLS_KEY_FILE=" + alienKey}, base: mutual, says: []string{"KAFKA_TLS_CERT_FILE", "alien.crt", "refuses"}},
		{wrong: []string{"KAFKA_TLS_CERT_FILE=", "KAFKA_TLS_KEY_FILE="}, base: mutual, says: []string{"KAFKA_TLS_CERT_FILE", "not set", "refuses"}},
	} {
		if c.base != nil {
			s.refused(c.base.with(c.wrong...), send, c.says...)
			s.refused(c.base.with(s.database("allocation_app")...).with(c.wrong...), run, c.says...)
			continue
		}
		s.refused(producer.with(c.wrong...), send, c.says...)
		if c.waits {
			continue
		}
		s.refused(worker.with(c.wrong...), run, c.says...)
	}
}

func (s *site) postgresNamesTheSetting() {
	migrate, show, run := []string{"migrate", "status"}, []string{"show", "order", "o1"}, []string{"worker", "--http-addr=127.0.0.1:0"}
	late, lateKey := s.identity("late", s.known.issue("with_certificate", past()))
	ca := s.dir + "/ca.pem"
	for _, c := range []struct {
		serves string // the server's certificate
		url    string
		says   []string
	}{
		{url: s.databaseURLWith("hush-wrong"), says: []string{"DATABASE_URL", "password", "allocation_app"}},
		{url: s.databaseURL("nobody"), says: []string{"DATABASE_URL", "nobody"}},
		{url: s.databaseURL("allocation_app", "sslmode", "disable"), says: []string{"DATABASE_URL", "sslmode", "no encryption"}},
		{url: s.databaseURL("allocation_app", "sslrootcert", s.dir+"/stranger.pem"), says: []string{"sslrootcert", "DATABASE_URL", "authority"}},
		{url: s.databaseURL("allocation_app", "sslrootcert", s.dir+"/none.pem"), says: []string{"DATABASE_URL", "none.pem", "no such file"}},
		{url: s.databaseURL("with_certificate"), says: []string{"DATABASE_URL", "sslcert", "client certificate"}},
		{url: s.databaseURL("with_certificate", "sslcert", late, "sslkey", lateKey), says: []string{"sslcert", "expired"}},
		{serves: expired, url: s.databaseURL("allocation_app"), says: []string{"Postgres's certificate expired at 20", "renew"}},
		{serves: forOtherHost, url: s.databaseURL("allocation_app"), says: []string{"the host in DATABASE_URL", "another host name", "valid for 127.0.0.2, not 127.0.0.1"}},
		{serves: ofStranger, url: s.databaseURL("allocation_app", "sslrootcert", ca), says: []string{"sslrootcert", "DATABASE_URL", "authority"}},
		{serves: ofStranger, url: s.databaseURL("allocation_app", "sslmode", "verify-ca"), says: []string{"sslrootcert", "DATABASE_URL", "authority"}},
	} {
		if c.serves != "" && c.serves != s.serving {
			s.servePostgres(c.serves)
			s.serving = c.serves
		}
		env := s.user("allocation-worker").with("DATABASE_URL=" + c.url)
		for _, command := range [][]string{migrate, show, run} {
			s.refused(env, command, c.says...)
		}
	}
	s.servePostgres("good")
	s.serving = "good"
}
