package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// CacheDir is the folder in which downloaded servers are kept: in the user's cache folder, but the
// system's for root, whose own is closed to the user that Postgres must run as then. (No right
// helps: Postgres asks the kernel whether its real user may run its programs.)
func CacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/allocation", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("folder for downloaded servers (set HOME or XDG_CACHE_HOME): %w", err)
	}
	return filepath.Join(cache, "allocation"), nil
}

// InstallOnce fills a folder unless it exists. Nobody sees it half full: install fills another
// folder, which is then renamed, and processes that want the same one wait for the first.
func InstallOnce(dir string, install func(dir string) error) error {
	if exists(dir) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	lock, err := LockFile(dir + ".lock")
	if err != nil {
		return err
	}
	defer lock.Close()
	if exists(dir) {
		return nil
	}
	partial := dir + ".partial"
	if err := errors.Join(os.RemoveAll(partial), os.Mkdir(partial, 0o755)); err != nil {
		return err
	}
	if err := install(partial); err != nil {
		_ = os.RemoveAll(partial)
		return err
	}
	return os.Rename(partial, dir)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
