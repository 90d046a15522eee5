package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS says how a client connection is encrypted.
type TLS struct {
	Enabled    bool   `yaml:"enabled" env:"ENABLED" envDefault:"false" doc:"encrypt the connection"`
	CAFile     string `yaml:"ca_file" env:"CA_FILE" doc:"PEM file of the authorities to trust; unset: the system's"`
	CertFile   string `yaml:"cert_file" env:"CERT_FILE" doc:"PEM file of the client's certificate; unset: none"`
	KeyFile    string `yaml:"key_file" env:"KEY_FILE" doc:"PEM file of that certificate's key"`
	ServerName string `yaml:"server_name" env:"SERVER_NAME" doc:"name that the server's certificate must carry; unset: the host"`
}

// Client makes the client's configuration, reading the files anew so that a
// renewed certificate is taken up by the next connection's maker. It is nil
// when TLS is off.
func (t TLS) Client() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	roots, err := t.roots()
	if err != nil {
		return nil, fmt.Errorf("authorities to trust: %w", err)
	}
	certificates, err := t.certificates()
	if err != nil {
		return nil, fmt.Errorf("client certificate: %w", err)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: certificates, ServerName: t.ServerName,
	}, nil
}

// roots is nil, which means the system's, when no file is named.
func (t TLS) roots() (*x509.CertPool, error) {
	if t.CAFile == "" {
		return nil, nil
	}
	content, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, errors.New(t.CAFile + " holds no certificate")
	}
	return pool, nil
}

func (t TLS) certificates() ([]tls.Certificate, error) {
	if t.CertFile == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, err
	}
	return []tls.Certificate{pair}, nil
}
