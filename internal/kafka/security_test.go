package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

func TestAConfigurationIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		says   string
	}{
		"without a broker":       {Config{Now: time.Now}, "no broker address"},
		"with an empty broker":   {Config{Brokers: []string{"a:1", ""}, Now: time.Now}, "no broker address"},
		"without a clock":        {Config{Brokers: []string{"a:1"}}, "no clock"},
		"with an unknown login":  {Config{Brokers: []string{"a:1"}, Now: time.Now, SASL: &SASL{Mechanism: "gssapi", Username: "u"}}, `"gssapi"`},
		"with a login of nobody": {Config{Brokers: []string{"a:1"}, Now: time.Now, SASL: &SASL{Mechanism: Plain}}, "username is empty"},
		"with a password that no scram takes": {
			Config{Brokers: []string{"a:1"}, Now: time.Now, SASL: &SASL{Mechanism: ScramSHA256, Username: "u", Password: "\x00"}}, "login",
		},
	} {
		if _, err := New(c.config); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

// certificate makes a certificate for 127.0.0.1 and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestASecuredClusterIsReachedAndAStrangerIsNot: group, producer and offsets
// each make their own connections.
func TestASecuredClusterIsReachedAndAStrangerIsNot(t *testing.T) {
	cert, pool := certificate(t)
	for mechanism, theirs := range map[string]string{Plain: "PLAIN", ScramSHA256: "SCRAM-SHA-256", ScramSHA512: "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			cluster := fakeCluster(t, kfake.EnableSASL(), kfake.Superuser(theirs, "reckon", "right"),
				kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}))
			client := func(trust *x509.CertPool, password string) *Client {
				c, err := New(Config{
					Brokers: cluster.ListenAddrs(), Now: time.Now, TLS: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS13},
					SASL: &SASL{Mechanism: mechanism, Username: "reckon", Password: password},
				})
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			c := client(pool, "right")
			topic, s := topic(t, c, 1), newStore()
			produce(t, c, topic, 0, 5)
			member(t, c, name(t), topic, s)
			s.wait(t, 5)
			if _, err := client(pool, "wrong").Ends(t.Context(), topic); err == nil || !strings.Contains(err.Error(), "login") {
				t.Errorf("with a wrong password: %v", err)
			}
			if _, err := client(x509.NewCertPool(), "right").Ends(t.Context(), topic); err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("with a certificate that is not trusted: %v", err)
			}
		})
	}
}

func TestAnUnreachableBrokerIsNamed(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := testClient(t, []string{address}).Ends(t.Context(), "t"); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v", err)
	}
}
