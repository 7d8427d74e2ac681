package cases

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/local"
)

// run runs one case, and notes what came of it.
func (r *runner) run(ctx context.Context, of subject, c *config.Case, res *result) {
	source, faults := r.sourceOf(res.file, c)
	if len(faults) > 0 {
		res.faults = faults
		return
	}
	content, faults := r.render(ctx, of, c, source)
	if c.Error != "" || c.Matches != nil {
		res.faults = expected(c, content, faults)
		return
	}
	if len(faults) > 0 {
		res.faults = failed(c, faults)
		return
	}
	want, missing := []byte(nil), (*fault.Fault)(nil)
	switch {
	case c.Want != nil:
		want = []byte(*c.Want)
	default:
		if want, missing = golden(c); r.Update {
			missing = update(c.Golden, want, content, missing != nil, res)
			want = content
		}
	}
	switch {
	case missing != nil:
		res.faults = fault.List{missing}
	case !bytes.Equal(want, content):
		res.faults = fault.List{{Place: c.Place, What: "it gives something else", Hints: differences(want, content)}}
	}
}

// render gives what the template makes of a case, or why a file of it would not be written.
func (r *runner) render(ctx context.Context, of subject, c *config.Case, source sources.Source) ([]byte, fault.List) {
	o := of.options
	o.Vars = maps.Clone(of.options.Vars)
	if o.Vars == nil {
		o.Vars = make(map[string]any)
	}
	maps.Copy(o.Vars, c.Vars)
	o.Hostname = c.Hostname
	o.Env = func(name string) (string, bool) {
		text, set := c.Env[name]
		return text, set
	}
	f := &render.File{Target: swap.Target{Path: of.path}, Format: of.format}
	var faults fault.List
	if of.each != nil {
		if f.Each, faults = of.eachOf(o); len(faults) > 0 {
			return nil, faults
		}
		o.Each = f.Each
	}
	if f.Template, faults = r.parser.Parse(o); len(faults) > 0 {
		return nil, faults
	}
	snapshot := sources.NewSnapshot(source, 0)
	snapshot.Want(ctx, f.Refs())
	if f, faults = of.chosen(ctx, f, c, snapshot); len(faults) > 0 {
		return nil, faults
	}
	rendering, _, wrong := f.Render(ctx, snapshot)
	if wrong == nil {
		if wrong = rendering.Judge(); wrong == nil {
			return rendering.Content, nil
		}
	}
	return nil, fault.List{wrong}
}

// expected gives what is wrong where a fault is expected.
func expected(c *config.Case, content []byte, faults fault.List) fault.List {
	if len(faults) == 0 {
		return fault.List{{Place: c.Place, What: "an error is expected, and there is none; it gives", Hints: lines(content)}}
	}
	for _, f := range faults {
		said := strings.Join(append([]string{f.Error()}, f.Hints...), "\n")
		if c.Error != "" && strings.Contains(said, c.Error) || c.Matches != nil && c.Matches.MatchString(said) {
			return nil
		}
	}
	return fault.List{{Place: c.Place, What: "another error is expected; it says", Hints: said(faults)}}
}

// failed says that a case has faults where none are expected.
func failed(c *config.Case, faults fault.List) fault.List {
	return fault.List{{Place: c.Place, What: "it fails", Hints: said(faults), Err: faults}}
}

func said(faults fault.List) (list []string) {
	for _, f := range faults {
		list = append(list, lines([]byte(f.Text()))...)
	}
	return list
}

// golden reads the golden file of a case.
func golden(c *config.Case) ([]byte, *fault.Fault) {
	text, err := disk.ReadFile(c.Golden, mostGolden)
	if err == nil {
		return text, nil
	}
	hints := disk.Hints(err)
	if errors.Is(err, fs.ErrNotExist) {
		hints = []string{"rendered test --update writes it"}
	}
	return nil, &fault.Fault{Place: c.Place, What: "golden file " + console.Relative(c.Golden) + ": " + disk.Reason(err).Error(), Hints: hints, Err: err}
}

// mostGolden bounds a golden file, in bytes.
const mostGolden = 1 << 30

// update writes a golden file that is missing or holds something else.
func update(path string, was, content []byte, missing bool, res *result) *fault.Fault {
	if !missing && bytes.Equal(was, content) {
		return nil
	}
	res.update = path
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, content, 0o644)
	}
	if err == nil {
		return nil
	}
	return &fault.Fault{Place: fault.Place{File: path}, What: disk.Reason(err).Error(), Hints: disk.Hints(err), Err: err}
}

// sourceOf gives what answers a case's lookups, and nothing else does.
func (r *runner) sourceOf(path string, c *config.Case) (sources.Source, fault.List) {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	all, _ := local.NewRehearsal(abs, &yaml.Node{Kind: yaml.MappingNode})
	for _, n := range c.Values {
		one := r.values[n]
		if one == nil {
			one = read(abs, n)
			r.values[n] = one
		}
		if len(one.faults) > 0 {
			return nil, one.faults
		}
		all = all.Under(one.Rehearsal)
	}
	return sources.Mux{
		{Source: all, Kinds: sources.Kinds(func(t sources.Traits) bool { return t.Section != "" })},
		{Source: texts(c.Files), Kinds: sources.Kinds(func(t sources.Traits) bool { return t.Section == "" })},
	}, nil
}

// Values are what a file of cases says in one place of what lookups give.
type values struct {
	local.Rehearsal
	faults fault.List
}

func read(path string, n *yaml.Node) *values {
	var v values
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		v.Rehearsal, v.faults = local.ReadRehearsal(from(path, n.Value))
	} else {
		v.Rehearsal, v.faults = local.NewRehearsal(path, n)
	}
	return &v
}

// from gives a path relative to a file.
func from(file, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

// texts answer lookups of local files, by path.
type texts map[string]string

// Fetch answers every ref.
func (t texts) Fetch(_ context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	for _, r := range refs {
		text, ok := t[r.Name]
		if !ok {
			deliver(r, sources.Result{Err: &sources.Error{Ref: r, Reason: sources.Missing, Detail: "the case has no such file", Hints: []string{"files: {" + r.Name + ": TEXT}"}}})
			continue
		}
		deliver(r, sources.Result{Value: sources.Value{Text: text}})
	}
}

// mostCompared bounds what is compared line by line, in bytes.
const mostCompared = 16 << 20

// mostLines bounds what is shown of a difference.
const mostLines = 60

// differences gives the lines in which two texts differ, with - before those that are expected.
func differences(want, got []byte) []string {
	if len(want)+len(got) > mostCompared {
		return []string{fmt.Sprintf("%d bytes, and not the %d that are expected; it is too much to compare line by line", len(got), len(want))}
	}
	_, hunks, _ := bytes.Cut(diff.Diff("want", want, "got", got), []byte("\n@@"))
	return lines(append([]byte("@@"), hunks...))
}

func lines(text []byte) []string {
	list := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(list) > mostLines {
		list = append(list[:mostLines], "…")
	}
	return list
}
