package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/cron"
)

// A spec is a file of the config.
type spec struct {
	unit           unit
	path, kind     string
	refs           []string // whose values it holds
	json           bool
	there          bool // before the daemon's first start
	keep           bool // mode and owner are those of the file replaced
	uid            int
	fresh, dirMode fs.FileMode // fresh is the mode of a new file
	inPlace        bool
	key            string // of the file of the config that it is one of
}

var specs = append([]spec{
	{unit: env, path: "/out/app/env", kind: "env", refs: []string{"s1", "s2"}, json: true, keep: true, uid: swap.Keep, fresh: 0o600, dirMode: 0o750},
	{unit: pair, path: "/out/tls/crt", kind: "crt", refs: []string{"s1"}, there: true, keep: true, uid: swap.Keep, fresh: 0o600},
	{unit: pair, path: "/out/tls/key", kind: "key", refs: []string{"s1"}, uid: 7, fresh: 0o640},
	{unit: twinB, path: "/out/tls/b", kind: "b", refs: []string{"s2", "dyn"}, there: true, keep: true, uid: swap.Keep, fresh: 0o600, inPlace: true},
	{unit: twinA, path: "/run/twin/a", kind: "a", refs: []string{"s2", "dyn"}, keep: true, uid: swap.Keep, fresh: 0o600, dirMode: 0o700},
}, siteSpecs()...)

// actors are those whose nanoseconds are known to differ; nobody is the first of the others.
var actors = make(map[string]uint64)

const nobody = 1024

func init() {
	known := []string{"driver", "/var/lib", "/var/lib/rendered", "/var/lib/rendered/.key.new", "/var/lib/rendered/key",
		"/var/lib/rendered/.ledger.jsonl.new", "/var/lib/rendered/ledger.jsonl", "/run", "/out", predecessors, formerPath}
	known = append(known, programs[:]...)
	for _, name := range slices.Concat(services[:], others[:]) {
		known = append(known, "woken "+name, "vitals "+name, "before "+name, "after "+name, "gate "+name, "alarm "+name)
	}
	for _, s := range specs {
		dir := s.path[:strings.LastIndexByte(s.path, '/')]
		kept := predecessor(s.path)
		known = append(known, s.path, dir, "check "+s.path, kept, predecessors+"/."+path.Base(kept)+".new")
		for _, n := range []string{"", ".2"} {
			old := path.Base(kept) + n
			known = append(known, formerPath+"/"+old, formerPath+"/."+old+".new", "remove "+formerPath+"/"+old)
		}
		for i := range specs {
			known = append(known, fmt.Sprintf("%s/.tmp%02d", dir, i), fmt.Sprintf("remove %s/.tmp%02d", dir, i))
		}
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
		switch r {
		case "dyn":
			call = `{{ secret (printf "dyn-%s" (param "/p")) }}`
		case "map":
			call = "{{ .value }}"
		}
		parts = append(parts, call)
	}
	return s.layout(text, parts)
}

// layout gives the file with these parts.
func (s spec) layout(text int, parts []string) string {
	if s.key != "" && slices.Contains(parts, "{{ .value }}") {
		s.kind = "site{{ .key }}"
	}
	if s.json {
		return fmt.Sprintf(`["%s","v%d","%s","end"]`, s.kind, text, strings.Join(parts, `","`))
	}
	return fmt.Sprintf("%s v%d %s end\n", s.kind, text, strings.Join(parts, " "))
}

// parse takes a file's content apart. It is whole where it is what some template makes of some
// values.
func (s spec) parse(content string) (text string, values []string, whole bool) {
	words := strings.FieldsFunc(content, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.')
	})
	if len(words) != len(s.refs)+3 || words[0] != s.kind || words[len(words)-1] != "end" || s.json && !json.Valid([]byte(content)) {
		return "", nil, false
	}
	return words[1], words[2 : len(words)-1], true
}

// A conf is a config. It is usable unless it is broken, but for services with a fault.
type conf struct {
	broken bool
	layout
	text     int    // which templates it has
	checks   bool   // services have a check that sees all of their files
	refuses  string // the service whose check does not pass
	without  string // the service that it lacks
	flaws    [len(services)]flaw
	also     [len(asWritten.home)]set // by unit: the services that claim its files, beside the one that has them
	restarts bool                     // dependents are restarted, not reloaded
	proves   bool                     // services are to be seen to be well
	rollback int                      // of policies, where they are not
	around   bool                     // something is to be done before and after changes
	alarm    bool                     // somebody is to hear of failures
	gate     bool                     // a gate has to be open for files to be written
	window   bool                     // programs are interrupted in windows only
	hold     bool                     // and files are written in them only
	interval time.Duration
	often    time.Duration // between two scheduled looks; 0: five minutes
}

var errUnusable = errors.New("the config cannot be used")

// load makes a plan of the config as it is.
func (w *world) load(l *life) (*watch.Plan, error) {
	w.mu.Lock()
	c := w.conf
	w.mu.Unlock()
	if c.broken {
		return nil, errUnusable
	}
	return w.plan(l, c), nil
}

// plan makes the plan of a config that is usable, and puts it in force.
func (w *world) plan(l *life, c conf) *watch.Plan {
	chosen, faulty := w.decide(c, l.roll)
	leftOut := slices.ContainsFunc(faulty, func(f watch.Faulty) bool { return f.Instead != watch.OldSelf })
	w.inForce(l, chosen, leftOut)
	w.last = c
	p := &watch.Plan{Settle: 2 * time.Second, Within: 30 * time.Second, Values: "/values", Source: &source{world: w, life: l, roll: chosen}, Faulty: faulty}
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		p.Services = append(p.Services, w.service(l, chosen[name], chosen))
	}
	return p
}

// service gives a self as a plan has it that puts the roll in force.
func (w *world) service(l *life, s self, r roll) *watch.Service {
	often := s.often
	if often == 0 {
		often = 5 * time.Minute
	}
	schedule, err := cron.Parse("@every " + often.String())
	if err != nil {
		panic(err)
	}
	svc := &watch.Service{Schedule: schedule, Splay: time.Duration(s.service) * 7 * time.Millisecond, MinInterval: s.interval}
	svc.Name, svc.Fingerprint = s.name(), fmt.Sprint(s.text, s.checks, s.isRefused(), s.restarts, s.interval, s.often, s.proves, s.rollback, s.around, s.alarm, s.gate, s.window, s.hold)
	files := w.of(s)
	for _, f := range files {
		if f.key == "" || f.key == siteKeys[0] {
			svc.Files = append(svc.Files, f.file(s))
		}
		svc.Fingerprint += " " + f.path
	}
	for _, program := range w.told(s) {
		svc.Dependents = append(svc.Dependents, action{w.deps[program], l, s, r})
		svc.Fingerprint += " " + program
	}
	if s.checks {
		svc.Check = checkOf(files)
	}
	w.prove(l, s, svc)
	w.alarm(s, svc)
	w.guard(l, s, svc)
	return svc
}

// reload changes the config.
func (w *world) reload() {
	w.mu.Lock()
	c := &w.conf
	c.broken = false
	switch w.chance.IntN(16) {
	default:
		w.move()
	case 0:
		c.broken = true
	case 1:
		c.text = 3 - c.text
	case 2:
		if c.refuses == "" {
			c.refuses = services[w.chance.IntN(len(services))]
		} else {
			c.refuses = ""
		}
	case 3:
		if c.without == "" {
			c.without = services[w.chance.IntN(len(services))]
		} else {
			c.without = ""
		}
	case 4:
		c.restarts = !c.restarts
	case 5:
		c.interval = time.Duration(w.chance.IntN(3)) * time.Minute
	case 7:
		c.checks = !c.checks
	case 6:
		c.often = time.Duration(w.chance.IntN(3)) * time.Minute
	case 8, 9, 10, 11:
		w.spoil()
	}
	w.trace.note(w.began, "reload %+v", *c)
	w.mu.Unlock()
	w.life.loop.Reload()
}

var templates sync.Map // by text

type parsed struct {
	template *render.Template
	each     *render.Each
}

func (s spec) parsed(body string) parsed {
	known, ok := templates.Load(body)
	switch {
	case ok:
	case s.key != "":
		known, _ = templates.LoadOrStore(body, makeSites(body))
	default:
		t, faults := render.Parse(render.Options{Main: render.Text{Name: s.kind, Body: body}})
		if len(faults) > 0 {
			panic(faults)
		}
		known, _ = templates.LoadOrStore(body, parsed{t, nil})
	}
	return known.(parsed)
}

func (s spec) file(of self) *render.File {
	made, path := s.parsed(s.template(of.text)), s.path
	if made.each != nil {
		path = allSites
	}
	f := &render.File{Template: made.template, Each: made.each, Target: swap.Target{
		Path: path, UID: s.uid, GID: swap.Keep, Mode: s.fresh, KeepMode: s.keep, DirMode: s.dirMode, InPlace: s.inPlace,
	}}
	if s.json {
		f.Format, _ = format.Parse("json")
	}
	if of.isRefused() {
		f.Check.Args = []string{"no-such-program"}
	}
	return f
}
