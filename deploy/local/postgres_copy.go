package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// CopyTo makes the data of a standby of this server in a folder, for StartPostgres with other
// options of the same Dir. It needs the program pg_basebackup, which downloaded Postgres lacks.
func (p *Postgres) CopyTo(ctx context.Context, dir string) error {
	programs, err := programsFor(p.data, p.options.Output)
	if err != nil {
		return err
	}
	account, err := chooseAccount(p.data)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, postgresData)
	if err := errors.Join(OwnFolder(dir), os.Mkdir(data, 0o700), account.own(data)); err != nil {
		return err
	}
	backup := exec.CommandContext(ctx, programs.path("pg_basebackup"), "-D", data, "-d", databaseURL(superuser, p.options.Port, "postgres"),
		"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-password") // it would ask, and wait
	backup.Env = append(os.Environ(), "PGPASSWORD="+p.options.Password) // others can read a process' arguments
	backup.Dir = "/"                                                    // this process' own may be closed to the account
	account.apply(backup, data)
	if output, err := backup.CombinedOutput(); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("copy Postgres: install its client programs, for example by apt-get install postgresql: %w", err)
		}
		return fmt.Errorf("copy Postgres: %w\n%s", err, output)
	}
	return nil
}
