package local

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// ErrFolderNotOwn is returned for a folder or a file that another user has made or can change.
var ErrFolderNotOwn = errors.New("it is not only this user's")

const (
	ownFolder = 0o700
	ownFile   = 0o600
	others    = 0o022 // may write
)

// OwnFolder makes a folder that other users cannot enter, except the user that Postgres runs as
// when this process is root. A folder that exists, or a symbolic link to it, must be this user's,
// and nobody else may write to it. A user who could would put links in the place of files.
func OwnFolder(dir string) error {
	made, err := makeOwn(dir)
	if err != nil || !made {
		return err
	}
	return letPass(dir)
}

// makeOwn makes a folder, or checks the one that exists.
func makeOwn(dir string) (made bool, err error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return false, err
	}
	err = os.Mkdir(dir, ownFolder)
	if errors.Is(err, os.ErrExist) {
		return false, checkOwn(dir)
	}
	return err == nil, err
}

func checkOwn(dir string) error {
	link, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	folder, err := os.Stat(dir)
	if err != nil {
		return err
	}
	switch {
	case !folder.IsDir():
		return fmt.Errorf("%s is not a folder", dir)
	case !own(link):
		return notOwn(dir, link)
	case !own(folder):
		return notOwn(dir, folder)
	case folder.Mode()&others != 0:
		return fmt.Errorf("%w: other users can write to %s (chmod go-w takes that from them); choose another, or one that does not exist yet", ErrFolderNotOwn, dir)
	}
	return nil
}

func own(info os.FileInfo) bool { return info.Sys().(*syscall.Stat_t).Uid == uint32(os.Geteuid()) }

func notOwn(path string, info os.FileInfo) error {
	owner := strconv.FormatUint(uint64(info.Sys().(*syscall.Stat_t).Uid), 10)
	if known, err := user.LookupId(owner); err == nil {
		owner = known.Username
	}
	return fmt.Errorf("%w: %s belongs to %s; choose another, or one that does not exist yet", ErrFolderNotOwn, path, owner)
}

// OpenOwn opens a file that other users cannot read, and makes it if there is none. It follows no
// symbolic link.
func OpenOwn(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, flags|os.O_CREATE|syscall.O_NOFOLLOW, ownFile)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%w: %s is a symbolic link, which is not followed; remove it", ErrFolderNotOwn, path)
	}
	if err != nil {
		return nil, err
	}
	if err := closeToOthers(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func closeToOthers(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !own(info) {
		return notOwn(file.Name(), info)
	}
	return file.Chmod(ownFile)
}

// CreateLog opens an empty file as OpenOwn does.
func CreateLog(path string) (*os.File, error) {
	file, err := OpenOwn(path, os.O_WRONLY)
	if err != nil {
		return nil, err
	}
	return file, file.Truncate(0)
}
