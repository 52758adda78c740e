package dev

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/config"
)

// The commands of the quick start run where dev does, with nothing set.
func TestFiles_passwordIsFoundInTheSameFolder(t *testing.T) {
	t.Setenv("PGPASSWORD", "of another database")
	t.Chdir(t.TempDir())
	files, err := openFiles(config.DevFolder)
	require.NoError(t, err)
	files.close()
	url, err := config.Database{}.URL()
	require.NoError(t, err)
	settings, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	require.Equal(t, files.password, settings.Password)

	again, err := openFiles(config.DevFolder)
	require.NoError(t, err)
	again.close()
	require.Equal(t, files.password, again.password)
}
