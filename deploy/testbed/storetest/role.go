package storetest

import (
	"context"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/store"
)

// Login makes a user who has a role and nothing else, and returns its URL.
func (b *Bench) Login(role string) string {
	b.T.Helper()
	name := "user_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	b.Exec("create role " + name + " login in role " + role)
	b.T.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), b.URL)
		require.NoError(b.T, err)
		defer conn.Close(context.Background())
		_, err = conn.Exec(context.Background(), "drop role "+name)
		require.NoError(b.T, err)
	})
	u, err := url.Parse(b.URL)
	require.NoError(b.T, err)
	u.User = url.User(name)
	return u.String()
}

// As opens a store for a user who has a role.
func (b *Bench) As(role string) *store.Store {
	b.T.Helper()
	return b.OpenWith(store.Options{URL: b.Login(role), Owner: "worker"})
}

// AsWorker opens a store for a user who may do what a worker does.
func (b *Bench) AsWorker() *store.Store { return b.As("allocation_worker") }
