package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// CopyTo makes the data of a standby of this server in a folder, for StartPostgres with other
// options of the same Dir. It needs the program pg_basebackup, which downloaded Postgres lacks.
func (p *Postgres) CopyTo(ctx context.Context, dir string) error {
	data := filepath.Join(dir, postgresData)
	if err := errors.Join(OwnFolder(dir), os.Mkdir(data, 0o700), p.account.own(data)); err != nil {
		return err
	}
	backup := p.command(ctx, data, "pg_basebackup", "-D", data, "-d", databaseURL(superuser, p.options.Port, "postgres"),
		"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-password") // it would ask, and wait
	backup.Env = append(os.Environ(), "PGPASSWORD="+p.options.Password) // others can read a process' arguments
	if output, err := backup.CombinedOutput(); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("copy Postgres: install its client programs, for example by apt-get install postgresql: %w", err)
		}
		return fmt.Errorf("copy Postgres: %w\n%s", err, output)
	}
	return nil
}
