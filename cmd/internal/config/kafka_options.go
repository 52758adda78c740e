package config

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// dialTimeout bounds a connection's beginning, TLS included.
const dialTimeout = 5 * time.Second

// requestTimeout bounds a request, beside the time that it gives the broker itself. The client asks
// another broker then, where any will do, so one that cannot be reached must not take long.
const requestTimeout = 5 * time.Second

// Dialer opens connections to Kafka.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Dialer returns how connections are opened. Each reads the certificate files again. Its errors are
// explained. A broker that does not answer is refused to all but one, until it does.
func (k Kafka) Dialer() Dialer { return newBreaker(k.dialer()).connect }

func (k Kafka) dialer() Dialer {
	if !k.usesTLS() {
		d := &net.Dialer{Timeout: dialTimeout}
		return d.DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		config, err := k.tlsConfig()
		if err == nil {
			err = k.party().checkExpiry(config)
		}
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		d := &tls.Dialer{Config: config}
		conn, err := d.DialContext(ctx, network, address)
		if errors.Is(err, io.EOF) { // a listener without TLS hangs up, and so does a broker that stops
			return nil, fmt.Errorf("%s hung up on TLS, which %sKAFKA_SECURITY_PROTOCOL %s asks for: is another listener there? %w", address, k.prefix, k.SecurityProtocol, err)
		}
		return conn, k.Explain(err)
	}
}

// Options are what every client needs: where the brokers are, how to connect, and the id that the
// client tells them.
func (k Kafka) Options(id string, dial Dialer) []kgo.Opt {
	options := []kgo.Opt{
		kgo.ClientID(id),
		kgo.SeedBrokers(k.Seeds()...),
		kgo.Dialer(dial),
		kgo.RequestTimeoutOverhead(requestTimeout),
	}
	if k.usesSASL() {
		options = append(options, kgo.SASL(k.mechanism()))
	}
	return options
}

func (k Kafka) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if k.TLSCAFile != "" {
		pem, err := os.ReadFile(k.TLSCAFile)
		if err != nil {
			return nil, refusal(BadFile, err, "%sKAFKA_TLS_CA_FILE cannot be read: %v", k.prefix, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, refusal(BadFile, nil, "%sKAFKA_TLS_CA_FILE %s has no certificate as PEM", k.prefix, k.TLSCAFile)
		}
	}
	if k.TLSCertFile != "" {
		pair, err := tls.LoadX509KeyPair(k.TLSCertFile, k.TLSKeyFile)
		if err != nil {
			return nil, refusal(BadFile, err, "%[1]sKAFKA_TLS_CERT_FILE %[2]s and %[1]sKAFKA_TLS_KEY_FILE %[3]s are no pair: %[4]v", k.prefix, k.TLSCertFile, k.TLSKeyFile, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// mechanism authenticates each connection with the password as it is then.
func (k Kafka) mechanism() sasl.Mechanism {
	password := func() (string, error) {
		value, err := k.password().read()
		if err != nil {
			return "", refusal(BadFile, err, "the password for Kafka: %v", err)
		}
		if value == "" {
			return "", refusal(BadFile, nil, "the password for Kafka in %s is empty", k.password().where())
		}
		return value, nil
	}
	if k.SASLMechanism == mechanismPlain {
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			value, err := password()
			return plain.Auth{User: k.SASLUsername, Pass: value}, err
		})
	}
	credentials := func(context.Context) (scram.Auth, error) {
		value, err := password()
		return scram.Auth{User: k.SASLUsername, Pass: value}, err
	}
	if k.SASLMechanism == mechanismSCRAM2 {
		return scram.Sha256(credentials)
	}
	return scram.Sha512(credentials)
}
