package migrate

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/migrate/rewrite"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
)

// consulReader reads configs of consul-template, and what Vault Agent has of its language.
type consulReader struct {
	o           Options
	s           *setup
	left, right string // the delimiters of templates that say nothing
	lenient     bool   // some template takes <no value> for a key that is missing
	// others reads a field that is not of both programs. It reports whether it is known.
	others func(r *consulReader, f field) bool
}

// readConsulTemplate reads configs of consul-template.
func readConsulTemplate(o Options, s *setup) error {
	return (&consulReader{o: o, s: s, others: (*consulReader).ofConsulTemplate}).read()
}

// readVaultAgent reads configs of Vault Agent.
func readVaultAgent(o Options, s *setup) error {
	return (&consulReader{o: o, s: s, others: (*consulReader).ofVaultAgent}).read()
}

func (r *consulReader) read() error {
	r.s.program, r.s.schedule = rewrite.ConsulTemplate, r.o.Interval
	fields, others, err := hclFiles(r.o.Paths, r.o.Program == "consul-template")
	if err != nil {
		return err
	}
	for _, f := range fields { // those that templates go by
		if f.key == "default_delimiters" {
			for _, d := range f.inside() {
				r.delimiter(&r.left, &r.right, d)
			}
		}
	}
	for _, f := range fields {
		if f.key != "template" && !r.others(r, f) {
			r.s.remarks = append(r.s.remarks, todo(f.place, f.key+": not known"))
		}
	}
	for _, f := range fields {
		if f.key == "template" {
			if err := r.template(f); err != nil {
				return err
			}
		}
	}
	for _, text := range r.o.Templates {
		if err := r.ofFlag(text); err != nil {
			return err
		}
	}
	if len(r.s.files) == 0 {
		return fault.List{{Place: r.place(), What: "it has no template", Hints: []string{"name the config of " + r.o.Program + ", with its template blocks"}}}
	}
	for _, path := range others {
		if !slices.ContainsFunc(r.s.files, func(f file) bool { return filepath.Clean(f.at) == filepath.Clean(path) }) {
			r.say(fault.Place{File: path}, "it is left out: it is no config with a template, and no template's source")
		}
	}
	if r.lenient {
		r.say(r.place(), "a key that is missing gives <no value> where error_on_missing_key is not set, and is an error here; where it may be missing: {{ get . \"key\" \"\" }}")
	}
	return nil
}

// place gives the place of what is said of all.
func (r *consulReader) place() fault.Place {
	if len(r.o.Paths) == 0 {
		return fault.Place{File: "--template"}
	}
	return fault.Place{File: r.o.Paths[0]}
}

// ofFlag reads a template as the flag -template has it.
func (r *consulReader) ofFlag(text string) error {
	source, rest, _ := strings.Cut(text, ":")
	path, shell, _ := strings.Cut(rest, ":")
	place := fault.Place{File: "--template"}
	if source == "" || path == "" {
		return fault.List{{Place: place, What: "a template is SOURCE:DESTINATION or SOURCE:DESTINATION:COMMAND", Hints: []string{"--template 'app.ctmpl:/etc/app.conf:systemctl reload app'"}}}
	}
	f := file{place: place, path: path, mode: "0644", dirMode: "0755", interval: r.s.schedule, left: cmp.Or(r.left, "{{"), right: cmp.Or(r.right, "}}")}
	if shell != "" {
		f.commands = []command{{shell: shell}}
	}
	r.lenient = true
	r.fromFile(&f, source, true)
	r.s.files = append(r.s.files, f)
	return nil
}

func (r *consulReader) say(at fault.Place, what string) {
	r.s.remarks = append(r.s.remarks, note(at, what))
}

// ofNoUse are keys about how the program itself runs and whom it asks, with what is here instead.
var ofNoUse = map[string]string{
	"vault":                "Vault is not asked: its secrets are to be in Secrets Manager, under the names of " + namesFile,
	"consul":               "Consul is not asked: its keys are to be in Parameter Store, under the same names with a / before them",
	"nomad":                "Nomad is not asked",
	"kill_signal":          "SIGTERM ends rendered",
	"reload_signal":        "SIGHUP has rendered read its config anew, as `rendered reload` does",
	"pid_file":             "systemd knows the process",
	"syslog":               "the journal has the log",
	"log_file":             "the journal has the log",
	"max_stale":            "nothing is asked of Consul",
	"block_query_wait":     "nothing is asked of Consul",
	"deduplicate":          "each host looks for itself",
	"retry":                "what fails is tried again, for ever, with longer and longer pauses",
	"ssl":                  "it is about how Consul is reached",
	"auth":                 "it is about how Consul is reached",
	"token":                "it is about how Consul is reached",
	"path":                 "it is about how Consul is reached",
	"template_error_fatal": "trouble of one service leaves the others alone",
	"err_on_failed_lookup": "a lookup that fails leaves the file as it is, and is tried again",
	"default_delimiters":   "",
}

// ofConsulTemplate reads what only consul-template has.
func (r *consulReader) ofConsulTemplate(f field) bool {
	switch f.key {
	case "exec":
		r.s.remarks = append(r.s.remarks, todo(f.place, "exec: rendered tells programs that somebody else runs; make a unit of it, with the file as EnvironmentFile= where it is an environment, and a notice restart:"))
	case "wait":
		r.wait(f)
	case "log_level":
		r.s.logLevel = level(f.text())
	case "vault":
		r.lease(f)
	}
	why, known := ofNoUse[f.key]
	if why != "" {
		r.say(f.place, f.key+" is left out: "+why)
	}
	return known || slices.Contains([]string{"exec", "wait", "log_level"}, f.key)
}

// lease takes the time after which secrets are read anew.
func (r *consulReader) lease(f field) {
	for _, v := range f.inside() {
		if v.key != "default_lease_duration" {
			continue
		}
		if d, ok := r.duration(v); ok && r.s.schedule == 0 {
			r.s.schedule = max(d, time.Second).Truncate(time.Second)
			r.say(v.place, "default_lease_duration becomes the schedule: so often are the secrets looked at")
		}
	}
}

// duration reads a duration, and says where none stands.
func (r *consulReader) duration(f field) (time.Duration, bool) {
	d, ok := f.duration()
	if ok = ok && d >= 0 && d <= maxInterval*time.Second; !ok {
		r.s.remarks = append(r.s.remarks, todo(f.place, f.key+": here must be a duration, of a year at most"))
	}
	return d, ok
}

// wait takes the time for which changes are gathered.
func (r *consulReader) wait(f field) {
	text, _, _ := strings.Cut(f.text(), ":")
	for _, v := range f.inside() {
		switch v.key {
		case "min":
			text = v.text()
		case "enabled", "bool":
			if v.text() == "false" {
				return
			}
		case "max":
			r.say(v.place, "wait.max: settle begins with the first change and ends after its time, so that it has no longest one")
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > maxInterval*time.Second {
		r.s.remarks = append(r.s.remarks, todo(f.place, "wait: its min is no duration"))
		return
	}
	if r.s.settle != 0 && r.s.settle != d {
		r.say(f.place, "wait: settle is of all services; it is the longest of those that were set")
	}
	r.s.settle = max(r.s.settle, d)
}

// ofVaultAgent reads what only Vault Agent has.
func (r *consulReader) ofVaultAgent(f field) bool {
	switch f.key {
	case "template_config":
		for _, v := range f.inside() {
			if v.key == "static_secret_render_interval" {
				if d, ok := r.duration(v); ok {
					r.s.schedule = cmp.Or(r.s.schedule, max(d, time.Second).Truncate(time.Second))
				}
				continue
			}
			r.say(v.place, "template_config."+v.key+" is left out: what fails is tried again, for ever, and rendered goes on")
		}
	case "auto_auth":
		r.say(f.place, "auto_auth is left out: credentials come from where the AWS CLI takes them, the role of the instance first of all; who else reads the token of a sink needs another")
	case "env_template":
		r.s.remarks = append(r.s.remarks, todo(f.place, fmt.Sprintf("env_template %s: make a line of an environment file of it, NAME={{ secret \"NAME\" \"key\" | envQuote }}, which the unit of the program has as EnvironmentFile=", strings.Join(f.labels, " "))))
	case "exec":
		return r.ofConsulTemplate(f)
	case "cache", "api_proxy", "listener":
		r.s.remarks = append(r.s.remarks, todo(f.place, f.key+": others ask Vault by way of the agent, and rendered answers nobody; they need another way"))
	case "log_level":
		r.s.logLevel = level(f.text())
	case "vault", "pid_file", "log_file":
		r.say(f.place, f.key+" is left out: "+ofNoUse[f.key])
	case "exit_after_auth", "log_format", "log_rotate_bytes", "log_rotate_duration", "log_rotate_max_files", "telemetry", "disable_idle_connections", "disable_keep_alives", "disable_mlock":
		r.say(f.place, f.key+" is left out: it is about how the agent itself runs")
	default:
		return false
	}
	return true
}

func (r *consulReader) delimiter(left, right *string, f field) {
	switch f.key {
	case "left", "left_delimiter":
		*left = f.text()
	case "right", "right_delimiter":
		*right = f.text()
	}
}

// template reads one template.
func (r *consulReader) template(t field) error {
	f := file{place: t.place, mode: "0644", dirMode: "0755", interval: r.s.schedule, left: r.left, right: r.right}
	if t.comment != "" {
		f.comments = strings.Split(t.comment, "\n")
	}
	c := command{}
	contents, source := field{}, field{}
	for _, v := range t.inside() {
		switch v.key {
		case "contents":
			contents = v
		case "source":
			source = v
		case "command", "exec", "command_timeout":
			r.command(&f, &c, v)
		default:
			if !r.key(&f, v) {
				f.todo = append(f.todo, todo(v.place, v.key+": not known"))
			}
		}
		if v.comment != "" {
			f.comments = append(f.comments, v.comment)
		}
	}
	if c.shell != "" || len(c.args) > 0 {
		f.commands = append(f.commands, c)
	}
	r.lenient = r.lenient || !f.strict
	f.left, f.right = cmp.Or(f.left, "{{"), cmp.Or(f.right, "}}")
	if f.path == "" {
		return fault.List{{Place: t.place, What: "the template has no destination"}}
	}
	r.textOf(&f, contents, source)
	r.s.files = append(r.s.files, f)
	return nil
}

// textOf reads the text of a template, which stands in the config or in a file of its own.
func (r *consulReader) textOf(f *file, contents, source field) {
	switch {
	case contents.value != nil && source.value != nil:
		f.todo = append(f.todo, todo(f.place, "it has both source and contents, of which consul-template takes none; here it is the contents"))
	case contents.value == nil && source.value == nil:
		f.todo, f.missing, f.name = append(f.todo, todo(f.place, "the template has neither source nor contents")), true, filepath.Base(f.path)
		return
	}
	if contents.value != nil {
		f.name, f.text = filepath.Base(f.path), contents.text()
		f.at, f.line = contents.place.File, contents.place.Line-1
		if contents.isHeredoc() {
			f.line++
		}
		return
	}
	r.fromFile(f, source.text(), source.value != nil)
}

// fromFile reads the text of a template from its file.
func (r *consulReader) fromFile(f *file, source string, given bool) {
	f.at, f.name = source, filepath.Base(source)
	data, err := readFile(f.at, maxTemplate)
	for _, beside := range []string{f.at, f.name} { // the configs were copied from where they are at work
		if beside = filepath.Join(filepath.Dir(f.place.File), beside); err != nil && given {
			if text, e := readFile(beside, maxTemplate); e == nil {
				f.at, data, err = beside, text, nil
			}
		}
	}
	if err != nil {
		f.todo, f.missing = append(f.todo, todo(f.place, "the template: "+disk.Reason(err).Error()+"; nor is it beside the config")), true
		f.name = filepath.Base(f.path)
	}
	f.text = string(data)
}

// key reads one key of a template. It reports whether it is known.
func (r *consulReader) key(f *file, v field) bool {
	switch v.key {
	case "destination":
		f.path = v.text()
	case "perms":
		r.perms(f, v)
	case "user", "uid":
		_, group, _ := strings.Cut(f.owner, ":")
		f.owner = strings.TrimSuffix(v.text()+":"+group, ":")
	case "group", "gid":
		user, _, _ := strings.Cut(f.owner, ":")
		f.owner = user + ":" + v.text()
	case "create_dest_dirs":
		if !v.isTrue() {
			f.dirMode = ""
		}
	case "error_on_missing_key":
		f.strict = v.isTrue()
	case "left_delimiter", "right_delimiter":
		r.delimiter(&f.left, &f.right, v)
	case "wait":
		r.wait(v)
	case "error_fatal":
		r.say(v.place, "error_fatal is left out: trouble of one service leaves the others alone")
	case "backup":
		if v.isTrue() {
			r.say(v.place, "backup: rendered keeps what somebody else has written when it first replaces it, and no copy of its own files")
		}
	case "sandbox_path", "function_denylist", "function_blacklist":
		r.say(v.place, v.key+" is left out: templates of root are root's, and no template runs a program or writes another file")
	default:
		return false
	}
	return true
}

// perms reads a mode. 600 without a 0 before it is another one than is meant, in a number of HCL.
func (r *consulReader) perms(f *file, v field) {
	mode, err := strconv.ParseUint(strings.TrimPrefix(v.text(), "0o"), 8, 32)
	switch {
	case err != nil || mode > 0o777 || !strings.HasPrefix(v.text(), "0") && v.isNumber():
		f.mode = "0600"
		f.todo = append(f.todo, todo(v.place, "perms = "+v.text()+" is no octal number with a 0 before it; until somebody has said what is meant, it is 0600"))
	case mode != 0:
		f.mode = fmt.Sprintf("%04o", mode)
	}
}
