package dev

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgpassfile"

	"allocation/cmd/internal/config"
	"allocation/deploy/local"
)

const (
	// workerLog is where the worker logs, in the data's folder: what people are told must not drown
	// in it.
	workerLog = "worker.log"
	lockFile  = "dev.lock"
)

// files are in the data's folder, beside those of the servers.
type files struct {
	lock     *os.File
	log      *os.File
	password string // of Postgres
	pgpass   string // the file that holds it, in the form that Postgres' clients read
}

// openFiles makes the folder and what is missing in it. It fails where a process uses the folder.
func openFiles(dir string) (*files, error) {
	if err := local.OwnFolder(dir); err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	f := &files{pgpass: filepath.Join(absolute, config.DevPasswordFile)}
	if f.lock, err = local.LockFolder(filepath.Join(dir, lockFile)); err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	if f.password, err = keptPassword(f.pgpass); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// openLog empties the log. What a start says that fails before is on the terminal.
func (f *files) openLog() (err error) {
	f.log, err = local.CreateLog(filepath.Join(filepath.Dir(f.pgpass), workerLog))
	return err
}

func (f *files) close() {
	_ = f.log.Close() // nil, where it was not opened
	_ = f.lock.Close()
}

// keptPassword reads the password, or makes one up.
func keptPassword(path string) (string, error) {
	file, err := local.OpenOwn(path, os.O_RDWR)
	if err != nil {
		return "", err
	}
	defer file.Close()
	kept, err := pgpassfile.ParsePassfile(file)
	if err != nil {
		return "", err
	}
	if password := kept.FindPassword("127.0.0.1", "any", databaseName, "postgres"); password != "" {
		return password, nil
	}
	password := rand.Text()
	_, err = fmt.Fprintf(file, "127.0.0.1:*:*:postgres:%s\n", password)
	return password, errors.Join(err, file.Sync())
}
