package config

import (
	"strings"
)

// DevBrokers is where the command dev has Kafka.
const DevBrokers = "127.0.0.1:19092"

// Kafka says how to reach Kafka.
type Kafka struct {
	Brokers          string `name:"kafka-brokers" env:"KAFKA_BROKERS" default:"127.0.0.1:19092" help:"Where Kafka is, separated by commas."`
	SecurityProtocol string `name:"kafka-security-protocol" env:"KAFKA_SECURITY_PROTOCOL" default:"PLAINTEXT" help:"PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."`
	TLSCAFile        string `name:"kafka-tls-ca-file" env:"KAFKA_TLS_CA_FILE" placeholder:"FILE" help:"Certificates to trust, as PEM; the system's without it."`
	TLSCertFile      string `name:"kafka-tls-cert-file" env:"KAFKA_TLS_CERT_FILE" placeholder:"FILE" help:"This client's certificate, as PEM."`
	TLSKeyFile       string `name:"kafka-tls-key-file" env:"KAFKA_TLS_KEY_FILE" placeholder:"FILE" help:"The key of the certificate, as PEM."`
	SASLMechanism    string `name:"kafka-sasl-mechanism" env:"KAFKA_SASL_MECHANISM" placeholder:"NAME" help:"PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."`
	SASLUsername     string `name:"kafka-sasl-username" env:"KAFKA_SASL_USERNAME" placeholder:"NAME" help:"The user."`
	SASLPasswordFile string `name:"kafka-sasl-password-file" env:"KAFKA_SASL_PASSWORD_FILE" placeholder:"FILE" help:"The file with the password; or put it in ${prefix}KAFKA_SASL_PASSWORD."`

	prefix string // of variables
}

// BeforeReset takes the prefix of variables from the service's vocabulary.
func (k *Kafka) BeforeReset(v Vocabulary) error {
	k.prefix = v.Prefix
	return nil
}

// The security protocols and mechanisms, as Kafka calls them.
const (
	protocolPlaintext     = "PLAINTEXT"
	protocolSSL           = "SSL"
	protocolSASLPlaintext = "SASL_PLAINTEXT"
	protocolSASLSSL       = "SASL_SSL"

	mechanismPlain  = "PLAIN"
	mechanismSCRAM2 = "SCRAM-SHA-256"
	mechanismSCRAM5 = "SCRAM-SHA-512"
)

// Check finds the mistakes.
func (k Kafka) Check(p *Problems) {
	for _, broker := range k.Seeds() {
		if !validAddress(broker) {
			p.Add("kafka-brokers", k.Brokers, "addresses such as kafka-1:9092,kafka-2:9092")
			break
		}
	}
	if !p.oneOf("kafka-security-protocol", k.SecurityProtocol, protocolPlaintext, protocolSSL, protocolSASLPlaintext, protocolSASLSSL) {
		return
	}
	k.checkTLS(p)
	k.checkSASL(p)
}

// Seeds are the addresses to begin with.
func (k Kafka) Seeds() []string {
	seeds := strings.Split(k.Brokers, ",")
	for i := range seeds {
		seeds[i] = strings.TrimSpace(seeds[i])
	}
	return seeds
}

func (k Kafka) usesTLS() bool {
	return k.SecurityProtocol == protocolSSL || k.SecurityProtocol == protocolSASLSSL
}

func (k Kafka) usesSASL() bool {
	return k.SecurityProtocol == protocolSASLPlaintext || k.SecurityProtocol == protocolSASLSSL
}

func (k Kafka) checkTLS(p *Problems) {
	files := []struct{ flag, path string }{
		{"kafka-tls-ca-file", k.TLSCAFile}, {"kafka-tls-cert-file", k.TLSCertFile}, {"kafka-tls-key-file", k.TLSKeyFile},
	}
	for _, f := range files {
		if f.path != "" && !k.usesTLS() {
			p.Add("kafka-security-protocol", k.SecurityProtocol, "SSL or SASL_SSL where "+p.Label(f.flag)+" is set")
			return
		}
	}
	before := len(p.found)
	for _, f := range files {
		checkFile(p, f.flag, f.path)
	}
	switch {
	case k.TLSCertFile != "" && k.TLSKeyFile == "":
		p.Add("kafka-tls-key-file", "", "given together with "+p.Label("kafka-tls-cert-file"))
	case k.TLSCertFile == "" && k.TLSKeyFile != "":
		p.Add("kafka-tls-cert-file", "", "given together with "+p.Label("kafka-tls-key-file"))
	case k.usesTLS() && len(p.found) == before:
		if _, err := k.tlsConfig(); err != nil {
			p.Say("%w", err)
		}
	}
}

func (k Kafka) password() secret {
	return secret{variable: k.prefix + "KAFKA_SASL_PASSWORD", file: k.SASLPasswordFile}
}

func (k Kafka) checkSASL(p *Problems) {
	if !k.usesSASL() {
		if k.SASLMechanism != "" || k.SASLUsername != "" || k.SASLPasswordFile != "" {
			p.Add("kafka-security-protocol", k.SecurityProtocol, "SASL_PLAINTEXT or SASL_SSL where a SASL mechanism, user or password is set")
		}
		return
	}
	p.oneOf("kafka-sasl-mechanism", k.SASLMechanism, mechanismPlain, mechanismSCRAM2, mechanismSCRAM5)
	if k.SASLUsername == "" {
		p.Add("kafka-sasl-username", "", "given where the security protocol is "+k.SecurityProtocol)
	}
	if k.password().check(p, "kafka-sasl-password-file") == "" && k.SASLPasswordFile == "" {
		p.Say("%s is not set; it, or %s, must be where the security protocol is %s", k.password().variable, p.Label("kafka-sasl-password-file"), k.SecurityProtocol)
	}
}
