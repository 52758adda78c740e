// Command stats counts the code of this repository: lines that hold code, by package, with and
// without tests; files and functions; and which packages of the repository each one imports.
//
//	go run ./cmd/stats [folder]
//
// A line counts if a token other than a comment begins on it, or a literal goes over it. Files of
// tests, and packages below deploy and of programs for developers, are no product code.
package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

const module = "allocation/"

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	packages, err := count(root)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	write(packages)
}

// pack is a folder of Go files.
type pack struct {
	folder      string
	lines       int // of code, without tests
	testLines   int
	files       []measured
	functions   []measured
	imports     map[string]struct{}
	forPractice bool // no product code
}

// measured is a file or a function, and its lines of code.
type measured struct {
	name  string
	lines int
}

func count(root string) ([]*pack, error) {
	packages := map[string]*pack{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(relative))
		if packages[folder] == nil {
			packages[folder] = &pack{folder: folder, imports: map[string]struct{}{}, forPractice: isForPractice(folder)}
		}
		return packages[folder].add(path)
	})
	return slices.SortedFunc(maps.Values(packages), func(a, b *pack) int { return cmp.Compare(a.folder, b.folder) }), err
}

func isForPractice(folder string) bool {
	for _, prefix := range []string{"deploy", "cmd/allocation/e2e", "cmd/allocation/programtest", "cmd/chaos", "cmd/compare", "cmd/stats", "cmd/withservers"} {
		if folder == prefix || strings.HasPrefix(folder, prefix+"/") {
			return !strings.HasPrefix(folder, "deploy/local")
		}
	}
	return false
}

func (p *pack) add(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	code := codeLines(text)
	if strings.HasSuffix(path, "_test.go") {
		p.testLines += len(code)
		return nil
	}
	p.lines += len(code)
	p.files = append(p.files, measured{filepath.ToSlash(path), len(code)})
	for _, i := range file.Imports {
		if name, _ := strconv.Unquote(i.Path.Value); strings.HasPrefix(name, module) {
			p.imports[strings.TrimPrefix(name, module)] = struct{}{}
		}
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n, first, last := 0, set.Position(f.Pos()).Line, set.Position(f.End()).Line
		for line := first; line <= last; line++ {
			if _, ok := code[line]; ok {
				n++
			}
		}
		p.functions = append(p.functions, measured{filepath.ToSlash(path) + ": " + f.Name.Name, n})
	}
	return nil
}

// codeLines are the lines that hold code.
func codeLines(text []byte) map[int]struct{} {
	set := token.NewFileSet()
	file := set.AddFile("", set.Base(), len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	lines := map[int]struct{}{}
	for {
		position, kind, literal := s.Scan()
		if kind == token.EOF {
			return lines
		}
		if kind == token.SEMICOLON && literal == "\n" {
			continue // there is none in the text
		}
		first := file.Line(position)
		for line := first; line <= first+strings.Count(literal, "\n"); line++ {
			lines[line] = struct{}{}
		}
	}
}

func write(packages []*pack) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PACKAGE\tLINES\tTESTS\tFILES\tFUNCTIONS\tMEDIAN\tP90\tLONGEST\tIMPORTS")
	var product, practice pack
	for _, p := range packages {
		all := &product
		if p.forPractice {
			all = &practice
		}
		all.lines, all.testLines = all.lines+p.lines, all.testLines+p.testLines
		all.files, all.functions = append(all.files, p.files...), append(all.functions, p.functions...)
	}
	product.folder, practice.folder = "= product", "= for practice"
	for _, p := range append(packages, &product, &practice) {
		lengths := lengthsOf(p.functions)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", p.folder, p.lines, p.testLines, len(p.files), len(lengths),
			quantile(lengths, 50), quantile(lengths, 90), quantile(lengths, 100), strings.Join(slices.Sorted(maps.Keys(p.imports)), " "))
	}
	_ = w.Flush()
	for _, list := range [][]measured{product.files, product.functions} {
		slices.SortFunc(list, func(a, b measured) int { return b.lines - a.lines })
		fmt.Fprint(os.Stdout, "\nLongest in the product:\n")
		for _, m := range list[:min(5, len(list))] {
			fmt.Fprintf(os.Stdout, "  %4d  %s\n", m.lines, m.name)
		}
	}
}

func lengthsOf(functions []measured) (lengths []int) {
	for _, f := range functions {
		lengths = append(lengths, f.lines)
	}
	slices.Sort(lengths)
	return lengths
}

// quantile is the length that a percentage of functions does not exceed.
func quantile(sorted []int, percent int) int {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)-1)*percent/100]
}
