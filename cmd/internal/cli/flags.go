package cli

import (
	"os"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// warnOfVariables says of each variable that looks as if it set an acting or filtering flag of the
// chosen command that it does not.
func (p *Program) warnOfVariables(parsed *kong.Context) {
	for _, flags := range parsed.Selected().AllFlags(false) {
		for _, flag := range flags {
			variable := strings.ToUpper(strings.ReplaceAll(p.Name+"_"+flag.Name, "-", "_"))
			if len(flag.Envs) == 0 && os.Getenv(variable) != "" {
				p.Tell("%s is set, and is not used: only --%s says that", variable, flag.Name)
			}
		}
	}
}

// refuseEmpty refuses a flag that acts or filters and is given without a value, as by a script
// whose variable is not set: it would mean all.
func refuseEmpty(parsed *kong.Context) error {
	for _, given := range parsed.Path {
		if given.Flag == nil || len(given.Flag.Envs) > 0 {
			continue
		}
		if hasEmpty(given.Flag.Target) {
			return Misuse("--%s is empty; give it a value, or leave it out", given.Flag.Name)
		}
	}
	return nil
}

func hasEmpty(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.String:
		return value.Len() == 0
	case reflect.Slice:
		for i := range value.Len() {
			if hasEmpty(value.Index(i)) {
				return true
			}
		}
		return value.Len() == 0
	default:
		return false
	}
}

// refuseOther refuses arguments that are no UTF-8, except names of files. A reader would replace
// their bytes.
func refuseOther(args []string) error {
	for i, arg := range args {
		flag, _, _ := strings.Cut(arg, "=")
		if i > 0 && !strings.HasPrefix(arg, "-") {
			flag = args[i-1]
		}
		if !utf8.ValidString(arg) && !namesFile(flag) {
			return Misuse("the argument %+q is not UTF-8", arg)
		}
	}
	return nil
}

func namesFile(flag string) bool {
	return strings.HasPrefix(flag, "-f") || flag == "--dir" || strings.HasPrefix(flag, "--") && strings.HasSuffix(flag, "file")
}
