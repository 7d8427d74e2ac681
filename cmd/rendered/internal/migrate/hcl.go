package migrate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl"
	"github.com/hashicorp/hcl/hcl/ast"
	"github.com/hashicorp/hcl/hcl/parser"
	"github.com/hashicorp/hcl/hcl/token"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
)

// A field is one key of a config of HCL 1, or of JSON, with what stands there.
type field struct {
	key     string
	labels  []string
	value   ast.Node
	place   fault.Place
	comment string
}

// hclFiles gives the fields of files, and of those in directories whose names end in .hcl or .json.
// Of deep directories all files count that have a template, also those below; the rest are others.
func hclFiles(paths []string, deep bool) (list []field, others []string, err error) {
	for _, path := range paths {
		files, err := filesIn(path, deep)
		if err != nil {
			return nil, nil, err
		}
		read := 0
		for _, f := range files {
			fields, failed := hclFile(f)
			switch {
			case failed == nil && (f == path || endsLikeConfig(f) || hasTemplate(fields)):
				read++
				list = append(list, fields...)
			case failed != nil && (f == path || endsLikeConfig(f)):
				return nil, nil, fault.List{failed}
			default:
				others = append(others, f)
			}
		}
		if read == 0 {
			return nil, nil, fault.List{{Place: fault.Place{File: path}, What: "no file *.hcl or *.json is there"}}
		}
	}
	return list, others, nil
}

// maxFiles is how many files a directory of configs may have.
const maxFiles = 1000

// hasTemplate reports that a text which may be anything is a config with a template.
func hasTemplate(fields []field) bool {
	return slices.ContainsFunc(fields, func(f field) bool { return f.key == "template" && len(f.inside()) > 0 })
}

func endsLikeConfig(path string) bool {
	return strings.HasSuffix(path, ".hcl") || strings.HasSuffix(path, ".json")
}

// filesIn gives a file itself, or the files in a directory.
func filesIn(path string, deep bool) (files []string, err error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return []string{path}, nil
	}
	err = filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fault.List{{Place: fault.Place{File: at}, What: disk.Reason(err).Error(), Hints: disk.Hints(err), Err: err}}
		case d.IsDir() && at != path && !deep:
			return fs.SkipDir
		case d.IsDir() || !deep && !endsLikeConfig(at) || isDir(at):
			return nil
		case len(files) == maxFiles:
			return fault.List{{Place: fault.Place{File: path}, What: fmt.Sprintf("more than %d files are there", maxFiles), Hints: []string{"name the configs"}}}
		}
		files = append(files, at)
		return nil
	})
	return files, err
}

// isDir tells whether a path leads to a directory, also by links.
func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// hclFile gives the fields of a file.
func hclFile(path string) (list []field, failed *fault.Fault) {
	place := fault.Place{File: path}
	text, err := readFile(path, maxConfig)
	if err != nil {
		return nil, &fault.Fault{Place: place, What: disk.Reason(err).Error(), Hints: disk.Hints(err), Err: err}
	}
	if tooDeep(text) {
		return nil, &fault.Fault{Place: place, What: "its brackets nest too deep"}
	}
	defer func() {
		if recover() != nil { // what the parser of HCL does over some texts
			list, failed = nil, &fault.Fault{Place: place, What: "it is no HCL"}
		}
	}()
	f, err := hcl.ParseBytes(text)
	if err != nil {
		what := err.Error()
		if e := (*parser.PosError)(nil); errors.As(err, &e) {
			place.Line, place.Column, what = e.Pos.Line, e.Pos.Column, e.Err.Error()
		}
		return nil, &fault.Fault{Place: place, What: "it is no HCL" + unquoted(what), Err: err}
	}
	object, _ := f.Node.(*ast.ObjectList)
	return fieldsOf(path, object), nil
}

// maxDepth is how deep the brackets of a config may nest. The parser of HCL takes time by its
// square.
const maxDepth = 200

// tooDeep reports that brackets outside of texts in quotes nest deeper than that.
func tooDeep(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\n':
			quoted = c == '"' && !quoted
		case quoted && c == '\\':
			i++
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth = max(depth-1, 0)
		}
		if depth > maxDepth {
			return true
		}
	}
	return false
}

// fieldsOf gives the fields of an object. Of a list of objects, as JSON has blocks, each is one.
func fieldsOf(path string, object *ast.ObjectList) (list []field) {
	if object == nil {
		return nil
	}
	for _, item := range object.Items {
		if len(item.Keys) == 0 {
			continue
		}
		f := field{value: item.Val, place: placeOf(path, item.Keys[0].Pos()), comment: strings.Trim(commentOf(item.LeadComment)+"\n"+commentOf(item.LineComment), "\n")}
		for i, k := range item.Keys {
			text := textOf(k.Token)
			if i == 0 {
				f.key = text
			} else {
				f.labels = append(f.labels, text)
			}
		}
		several, ok := item.Val.(*ast.ListType)
		if !ok || len(several.List) == 0 || !allObjects(several) {
			list = append(list, f)
			continue
		}
		for _, one := range several.List {
			f.value, f.place = one, placeOf(path, one.Pos())
			list = append(list, f)
		}
	}
	return list
}

func allObjects(l *ast.ListType) bool {
	return !slices.ContainsFunc(l.List, func(n ast.Node) bool { _, is := n.(*ast.ObjectType); return !is })
}

func placeOf(path string, pos token.Pos) fault.Place {
	return fault.Place{File: path, Line: pos.Line, Column: pos.Column}
}

// commentOf gives the text of a comment.
func commentOf(c *ast.CommentGroup) string {
	if c == nil {
		return ""
	}
	var lines []string
	for _, one := range c.List {
		text := strings.TrimSuffix(strings.TrimPrefix(one.Text, "/*"), "*/")
		for line := range strings.SplitSeq(text, "\n") {
			if line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#/*")); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// inside gives the fields of a block; nil where it is none.
func (f field) inside() []field {
	object, ok := f.value.(*ast.ObjectType)
	if !ok {
		return nil
	}
	return fieldsOf(f.place.File, object.List)
}

// text gives a single value as it is written.
func (f field) text() string {
	l, ok := f.value.(*ast.LiteralType)
	if !ok {
		return ""
	}
	if l.Token.Type == token.NUMBER {
		return l.Token.Text // 0640 is more than its number
	}
	return textOf(l.Token)
}

// textOf gives the text of a token; where HCL itself panics over it, as it is written.
func textOf(t token.Token) (text string) {
	defer func() {
		if recover() != nil {
			text = t.Text
		}
	}()
	return fmt.Sprint(t.Value())
}

// list gives the texts of a list; nil where it is none.
func (f field) list() (texts []string) {
	l, ok := f.value.(*ast.ListType)
	if !ok {
		return nil
	}
	for _, n := range l.List {
		texts = append(texts, field{value: n}.text())
	}
	return texts
}

// isOfTexts reports that a list has single values alone.
func (f field) isOfTexts() bool {
	l, ok := f.value.(*ast.ListType)
	return ok && !slices.ContainsFunc(l.List, func(n ast.Node) bool { _, single := n.(*ast.LiteralType); return !single })
}

// isNumber reports that a number stands there, not a text.
func (f field) isNumber() bool {
	l, ok := f.value.(*ast.LiteralType)
	return ok && l.Token.Type == token.NUMBER
}

// isHeredoc reports that a text stands there that begins on the next line.
func (f field) isHeredoc() bool {
	l, ok := f.value.(*ast.LiteralType)
	return ok && l.Token.Type == token.HEREDOC
}

// isTrue reports that true stands there.
func (f field) isTrue() bool { return f.text() == "true" || f.text() == "1" }

// duration reads a duration; a number is seconds.
func (f field) duration() (time.Duration, bool) {
	d, err := time.ParseDuration(f.text())
	if err != nil {
		d, err = time.ParseDuration(f.text() + "s")
	}
	return d, err == nil
}
