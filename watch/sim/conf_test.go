package sim

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/command"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/cron"
)

// A spec is a file of the config.
type spec struct {
	service, path, kind string
	refs                []string // whose values it holds
	json                bool
	there               bool // before the daemon's first start
	keep                bool // mode and owner are those of the file replaced
	uid                 int
	fresh, dirMode      fs.FileMode // fresh is the mode of a new file
	inPlace             bool
}

var specs = []spec{
	{service: "app", path: "/out/app/env", kind: "env", refs: []string{"s1", "s2"}, json: true, keep: true, uid: swap.Keep, fresh: 0o600, dirMode: 0o750},
	{service: "site", path: "/out/tls/crt", kind: "crt", refs: []string{"s1"}, there: true, keep: true, uid: swap.Keep, fresh: 0o600},
	{service: "site", path: "/out/tls/key", kind: "key", refs: []string{"s1"}, uid: 7, fresh: 0o640},
	{service: "twin", path: "/out/twin/b", kind: "b", refs: []string{"s2", "dyn"}, there: true, keep: true, uid: swap.Keep, fresh: 0o600, inPlace: true},
	{service: "twin", path: "/run/twin/a", kind: "a", refs: []string{"s2", "dyn"}, keep: true, uid: swap.Keep, fresh: 0o600, dirMode: 0o700},
}

// programs are those that read a service's files.
var programs = map[string][]string{"app": {"worker"}, "site": {"nginx", "haproxy"}, "twin": {"pooler"}}

var services = slices.Sorted(maps.Keys(programs))

// actors are those whose nanoseconds are known to differ; nobody is the first of the others.
var actors = make(map[string]uint64)

const nobody = 1024

func init() {
	known := []string{"driver", "/var/lib", "/var/lib/rendered", "/var/lib/rendered/ledger", "/var/lib/rendered/.key.new", "/var/lib/rendered/key", "/run", "/out"}
	for _, name := range services {
		known = append(known, "/var/lib/rendered/ledger/."+name+".json.new", "/var/lib/rendered/ledger/"+name+".json")
		known = append(known, programs[name]...)
	}
	for _, s := range specs {
		dir := s.path[:strings.LastIndexByte(s.path, '/')]
		known = append(known, s.path, dir, dir+"/.tmp00", dir+"/.tmp01")
	}
	for i, name := range known {
		actors[name] = uint64(i + 1)
	}
}

// template gives the template of the file as the config of that text has it.
func (s spec) template(text int) string {
	var parts []string
	for _, r := range s.refs {
		call := fmt.Sprintf("{{ secret %q }}", r)
		if r == "dyn" {
			call = `{{ secret (printf "dyn-%s" (param "/p")) }}`
		}
		parts = append(parts, call)
	}
	return s.layout(text, parts)
}

// layout gives the file with these parts.
func (s spec) layout(text int, parts []string) string {
	if s.json {
		return fmt.Sprintf(`["%s","v%d","%s","end"]`, s.kind, text, strings.Join(parts, `","`))
	}
	return fmt.Sprintf("%s v%d %s end\n", s.kind, text, strings.Join(parts, " "))
}

// parse takes a file's content apart. It is whole where it is what some template makes of some values.
func (s spec) parse(content string) (text string, values []string, whole bool) {
	words := strings.FieldsFunc(content, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.')
	})
	if len(words) != len(s.refs)+3 || words[0] != s.kind || words[len(words)-1] != "end" || s.json && !json.Valid([]byte(content)) {
		return "", nil, false
	}
	return words[1], words[2 : len(words)-1], true
}

// A conf is a config. It is usable unless it is broken.
type conf struct {
	broken   bool
	text     int    // which templates it has
	refuses  string // the service whose check does not pass
	without  string // the service that it lacks
	restarts bool   // dependents are restarted, not reloaded
	interval time.Duration
	often    time.Duration // between two scheduled looks; 0: five minutes
}

// load makes a plan of the config as it is.
func (w *world) load(l *life) (*watch.Plan, error) {
	w.mu.Lock()
	c := w.conf
	w.mu.Unlock()
	if c.broken {
		return nil, fmt.Errorf("the config cannot be used")
	}
	often := c.often
	if often == 0 {
		often = 5 * time.Minute
	}
	schedule, err := cron.Parse("@every " + often.String())
	if err != nil {
		return nil, err
	}
	p := &watch.Plan{Settle: 2 * time.Second, Within: 30 * time.Second, Values: "/values", Source: &source{world: w, life: l, conf: c}}
	for i, name := range w.services {
		if name == c.without {
			continue
		}
		s := &watch.Service{
			Name: name, Schedule: schedule, Splay: time.Duration(i) * 7 * time.Millisecond, MinInterval: c.interval,
			Fingerprint: fmt.Sprint(c.text, c.refuses == name, c.restarts, c.interval, c.often),
		}
		for _, f := range specs {
			if f.service == name {
				s.Files = append(s.Files, f.file(c))
			}
		}
		for _, program := range programs[name] {
			s.Dependents = append(s.Dependents, action{w.deps[program], l, c.restarts})
		}
		p.Services = append(p.Services, s)
	}
	return p, nil
}

var templates sync.Map // by text

func (s spec) file(c conf) *render.File {
	body := s.template(c.text)
	parsed, ok := templates.Load(body)
	if !ok {
		t, faults := render.Parse(render.Options{Main: render.Text{Name: s.kind, Body: body}})
		if len(faults) > 0 {
			panic(faults)
		}
		parsed, _ = templates.LoadOrStore(body, t)
	}
	f := &render.File{
		Path: s.path, Template: parsed.(*render.Template), UID: s.uid, GID: swap.Keep,
		Mode: s.fresh, KeepMode: s.keep, DirMode: s.dirMode, InPlace: s.inPlace,
	}
	if s.json {
		f.Format, _ = format.Parse("json")
	}
	if c.refuses == s.service {
		f.Check = command.Command{Args: []string{"no-such-program"}}
	}
	return f
}
