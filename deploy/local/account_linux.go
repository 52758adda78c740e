package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that Postgres runs as. Postgres refuses to run as root; its zero value is
// this process' own user.
type account struct {
	credential *syscall.Credential
}

// chooseAccount returns this process' own user, or for root the owner of an existing data folder,
// or else the user postgres or nobody.
func chooseAccount(data string) (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	if owner, ok := ownerOf(data); ok && owner.Uid != 0 {
		return account{credential: owner}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, err := user.Lookup(name); err == nil {
			return accountOf(found)
		}
	}
	return account{}, fmt.Errorf("Postgres refuses to run as root, and there is no user postgres or nobody: make one, for example by useradd --system postgres")
}

func ownerOf(path string) (*syscall.Credential, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false
	}
	stat := info.Sys().(*syscall.Stat_t)
	return &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}, true
}

func accountOf(found *user.User) (account, error) {
	uid, noUser := strconv.ParseUint(found.Uid, 10, 32)
	gid, noGroup := strconv.ParseUint(found.Gid, 10, 32)
	return account{credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, errors.Join(noUser, noGroup)
}

// own gives a folder to the account.
func (a account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// capDACOverride is the right to pass folders closed to a user (CAP_DAC_OVERRIDE of
// linux/capability.h). Containers' root has it by default, unlike the narrower CAP_DAC_READ_SEARCH.
const capDACOverride = 1

// apply makes a command, which uses the data folder, run as the account. If the folder lies in one
// that is closed to others, such as root's home, the command gets the right to pass, which is less
// than its starter has.
func (a account) apply(cmd *exec.Cmd, data string) {
	if a.credential == nil {
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential}
	if !a.canEnter(data) {
		cmd.SysProcAttr.AmbientCaps = []uintptr{capDACOverride}
	}
}

// canEnter reports whether the account may pass all folders above a path.
func (a account) canEnter(path string) bool {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || !a.canPass(info) {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func (a account) canPass(info os.FileInfo) bool {
	const ownerPass, groupPass, othersPass = 0o100, 0o010, 0o001
	stat := info.Sys().(*syscall.Stat_t)
	switch {
	case stat.Uid == a.credential.Uid:
		return info.Mode()&ownerPass != 0
	case stat.Gid == a.credential.Gid:
		return info.Mode()&groupPass != 0
	default:
		return info.Mode()&othersPass != 0
	}
}

// letPass lets the account that Postgres runs as for root through a folder of root's own, by its
// group: it may neither list nor change it.
func letPass(dir string) error {
	account, err := chooseAccount(filepath.Join(dir, postgresData))
	if err != nil || account.credential == nil {
		return err
	}
	const groupMayPass = 0o710
	if err := os.Chown(dir, -1, int(account.credential.Gid)); err != nil {
		return err
	}
	return os.Chmod(dir, groupMayPass)
}
