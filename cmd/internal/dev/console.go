package dev

import (
	"context"
	"fmt"

	"allocation/cmd/internal/console"
	"allocation/store"
)

// consolePages is the console beside the worker, with a pool of its own that only reads.
type consolePages struct {
	*console.Console
	db *store.Store
}

// openConsole makes the console. What its readers follow ends with the context.
func (d *session) openConsole(ctx context.Context, product console.Product) (*consolePages, error) {
	db, err := store.Open(ctx, store.Options{Service: d.Service, URL: d.settings.URL, Schema: d.settings.Database.In(), Adjust: console.Adjust})
	if err != nil {
		return nil, err
	}
	c, err := console.New(ctx, console.Options{
		Program: d.Program, Store: db, Kafka: d.settings.Kafka, Events: d.settings.Topics.Events, Product: product,
		Where: fmt.Sprintf("127.0.0.1:%d/%s", d.postgresPort, databaseName), Payloads: console.PayloadsFull, Logger: d.logger,
	})
	if err != nil {
		db.Close()
		return nil, err
	}
	return &consolePages{c, db}, nil
}

func (p *consolePages) close() {
	p.Close()
	p.db.Close()
}
