package app

import (
	"context"
	"crypto/tls"

	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/kafka"
)

func (a *App) dial(ctx context.Context) error {
	if err := a.dialKafka(); err != nil {
		return err
	}
	return a.dialClickHouse(ctx)
}

func (a *App) dialKafka() (err error) {
	c := &a.Config.Kafka
	k := kafka.Config{Brokers: a.brokers(), Now: a.Now}
	if !c.UsesEmbedded() {
		var kafkaTLS *tls.Config
		if kafkaTLS, err = c.TLS.Client(); err != nil {
			return config.UsageError{Err: err}
		}
		k.TLS = kafkaTLS
	}
	if c.SASL.Mechanism != "" {
		k.SASL = &kafka.SASL{Mechanism: c.SASL.Mechanism, Username: c.SASL.Username, Password: c.SASL.Password.Reveal()}
	}
	if a.Kafka, err = kafka.New(k); err != nil {
		return config.UsageError{Err: err}
	}
	return nil
}

func (a *App) dialClickHouse(ctx context.Context) (err error) {
	c := &a.Config.ClickHouse
	store := clickhouse.Config{
		Addresses: a.addresses(), Database: c.Database, Username: c.Username, Password: c.Password.Reveal(),
		Cluster: c.Cluster, Digits: a.Config.Billing.MinorDigits,
	}
	if c.UsesEmbedded() {
		store.Username, store.Password = a.endpoints.User, a.endpoints.Password
	} else if store.TLS, err = c.TLS.Client(); err != nil {
		return config.UsageError{Err: err}
	}
	if a.Store, err = clickhouse.Open(store); err != nil {
		return config.UsageError{Err: err}
	}
	a.cleanups.add("store", a.Store.Close)
	// Told to stop, nothing waits for a server that hangs.
	a.Store.EndWith(ctx)
	return nil
}

// brokers are where Kafka listens.
func (a *App) brokers() []string {
	if a.Config.Kafka.UsesEmbedded() {
		return []string{a.endpoints.Kafka}
	}
	return a.Config.Kafka.Brokers
}

// addresses are where ClickHouse listens with its native protocol.
func (a *App) addresses() []string {
	if a.Config.ClickHouse.UsesEmbedded() {
		return []string{a.endpoints.Native}
	}
	return a.Config.ClickHouse.Addresses
}
