package config

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// dialTimeout bounds a connection's beginning, TLS included.
const dialTimeout = 10 * time.Second

// Dialer opens connections to Kafka.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Dialer returns how connections are opened. Each reads the certificate files again.
func (k Kafka) Dialer() Dialer {
	if !k.usesTLS() {
		d := &net.Dialer{Timeout: dialTimeout}
		return d.DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		config, err := k.tlsConfig()
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		d := &tls.Dialer{Config: config}
		return d.DialContext(ctx, network, address)
	}
}

// Options are what every client needs: where the brokers are, how to connect, and who this is.
func (k Kafka) Options(dial Dialer) []kgo.Opt {
	options := []kgo.Opt{
		kgo.ClientID("allocation"),
		kgo.SeedBrokers(k.Seeds()...),
		kgo.Dialer(dial),
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
			return nil, fmt.Errorf("read KAFKA_TLS_CA_FILE: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("KAFKA_TLS_CA_FILE %s has no certificate as PEM", k.TLSCAFile)
		}
	}
	if k.TLSCertFile != "" {
		pair, err := tls.LoadX509KeyPair(k.TLSCertFile, k.TLSKeyFile)
		if err != nil {
			return nil, fmt.Errorf("KAFKA_TLS_CERT_FILE %s and KAFKA_TLS_KEY_FILE %s are no pair: %w", k.TLSCertFile, k.TLSKeyFile, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// mechanism authenticates each connection with the password as it is then.
func (k Kafka) mechanism() sasl.Mechanism {
	password := func() (string, error) {
		value, err := k.password().read()
		if err == nil && value == "" {
			err = errors.New("the password for Kafka is empty")
		}
		return value, err
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
