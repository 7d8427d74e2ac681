package migrate

import (
	"cmp"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/migrate/rewrite"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// A group is the files of one service of ours.
type group struct {
	name     string
	files    []*file
	schedule time.Duration // 0: that of the config
	checks   []string
	notices  []notice
}

// groups puts files together that one command is run for, and a certificate with its key.
func (s *setup) groups() (list []*group) {
	for i := range s.files {
		f := &s.files[i]
		var of *group
		for _, g := range list {
			if slices.ContainsFunc(g.files, f.belongsTo) && g.schedule == f.ownSchedule(s.schedule) {
				of = g
				break
			}
		}
		if of == nil {
			of = &group{schedule: f.ownSchedule(s.schedule)}
			list = append(list, of)
		}
		of.files = append(of.files, f)
		s.tell(of, f)
	}
	taken := map[string]bool{}
	for _, g := range list {
		g.name = free(taken, g.title(), "")
	}
	return list
}

// ownSchedule gives the interval of a file that is not that of the others.
func (f *file) ownSchedule(all time.Duration) time.Duration {
	if f.interval == all {
		return 0
	}
	return f.interval
}

// belongsTo reports that two files are to be swapped together.
func (f *file) belongsTo(of *file) bool {
	if f.tells() && reflect.DeepEqual(f.commands, of.commands) {
		return true
	}
	return f.stem() != "" && f.stem() == of.stem() && (len(f.commands) == 0 || len(of.commands) == 0 || reflect.DeepEqual(f.commands, of.commands))
}

// tells reports that somebody is told of a file.
func (f *file) tells() bool {
	return slices.ContainsFunc(f.commands, func(c command) bool { n, does := noticeOf(c); return does && n.key != "" })
}

var certificate = lazyregexp.New(`^(.*?)(?:[-_.](?:cert|key|chain|ca|fullchain))?\.(?:crt|cer|pem|key|cert|chain)$`)

// stem gives what a certificate and its key have in common: the directory and the name; "" for
// another file.
func (f *file) stem() string {
	if m := certificate.FindStringSubmatch(f.path); m != nil {
		dir, name := filepath.Split(m[1])
		if name == "cert" || name == "key" || name == "fullchain" || name == "privkey" || name == "chain" || name == "ca" {
			name = ""
		}
		return dir + "/" + name
	}
	return ""
}

// tell adds the notices and checks of a file to its service.
func (s *setup) tell(g *group, f *file) {
	if f.checkAll != "" && !slices.Contains(g.checks, f.checkAll) {
		g.checks = append(g.checks, f.checkAll)
	}
	for _, c := range f.commands {
		n, does := noticeOf(c)
		if !does {
			continue
		}
		if n.check != "" && !slices.Contains(g.checks, n.check) {
			g.checks = append(g.checks, n.check)
			s.remarks = append(s.remarks, note(f.place, n.check+" was run when the new files were in their places; here it is the service's check, and sees them before"))
		}
		if n.remark != "" {
			s.remarks = append(s.remarks, note(f.place, n.remark))
		}
		n.check, n.remark = "", ""
		if n.key == "" { // it was nothing but a check
			continue
		}
		if !slices.ContainsFunc(g.notices, func(of notice) bool { return reflect.DeepEqual(of, n) }) {
			g.notices = append(g.notices, n)
		}
	}
}

var noName = lazyregexp.New(`[^A-Za-z0-9._@-]+`)

// title gives a name for a service: of the unit that it tells, or of its first file.
func (g *group) title() string {
	name := strings.SplitN(filepath.Base(g.files[0].path), ".", 2)[0]
	for _, n := range g.notices {
		if n.key != "run" && n.pidFile == "" {
			name = n.value
			if n.unit != "" {
				name = n.unit
			}
			name = units.ReplaceAllString(name, "")
			break
		}
	}
	name = strings.Trim(noName.ReplaceAllString(name, "-"), "-.")
	if name == "" {
		return "files"
	}
	return name[:min(len(name), 60)]
}

// free gives a name with an ending that is not taken yet, with a number before the ending where it
// is.
func free(taken map[string]bool, stem, ending string) string {
	name := stem + ending
	for i := 2; taken[name]; i++ {
		name = stem + "-" + strconv.Itoa(i) + ending
	}
	taken[name] = true
	return name
}

// rewriteAll rewrites the templates of all files, and gives them by the names of their files. One
// template of several files is one file, where it comes to the same.
func (s *setup) rewriteAll(quotes bool) (templates map[string]string, of map[*file]string) {
	templates, of = map[string]string{}, map[*file]string{}
	taken := map[string]bool{}
	for i := range s.files {
		f := &s.files[i]
		o := rewrite.Options{Program: s.program, File: f.at, Line: f.line, Left: f.left, Right: f.right, Prefix: f.prefix, Backend: f.backend, Keys: f.keys, MissingFails: f.strict, Name: s.paths.name}
		if !filepath.IsAbs(f.path) {
			f.todo = append(f.todo, todo(f.place, "the destination is relative: there it began in the working directory, and here it begins beside the config"))
		}
		if strings.Contains(f.path, "{{") {
			f.todo = append(f.todo, todo(f.place, "the destination has {{ in it, which was a part of the name there, and is an action here"))
		}
		if quotes {
			o.Quote = notationOf(f)
		}
		text, remarks, err := rewrite.Template(f.text, o)
		if err != nil {
			text = f.text
			f.todo = append(f.todo, todo(f.placeOf(err), "it is no template of Go, and was copied as it is"))
		}
		if f.missing {
			text = cmp.Or(f.left, "{{") + ` fail "TODO(migrate)" ` + cmp.Or(f.right, "}}") + "\n"
		}
		name := s.sameTemplate(f, text, templates, of)
		if name == "" {
			s.inTemplates = append(s.inTemplates, remarks...)
			name = free(taken, templateStem(f.name), ".tmpl")
			templates[name] = text
		}
		of[f] = name
	}
	return templates, of
}

var lineOfError = lazyregexp.New(`^template: [^:]*:(\d+)`)

// placeOf gives where a template is none.
func (f *file) placeOf(err error) fault.Place {
	p := fault.Place{File: f.at}
	if m := lineOfError.FindStringSubmatch(err.Error()); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Line += f.line
	}
	return p
}

// sameTemplate gives the file that holds the template of a file already; "" for none.
func (s *setup) sameTemplate(f *file, text string, templates map[string]string, of map[*file]string) string {
	for i := range s.files {
		if other := &s.files[i]; of[other] != "" && other.at == f.at && other.name == f.name && templates[of[other]] == text {
			return of[other]
		}
	}
	return ""
}

// templateStem gives the name of a template's file without .tmpl. It does not begin with _, which
// those of partials do.
func templateStem(name string) string {
	name = filepath.Base(name)
	for _, ext := range []string{".tmpl", ".ctmpl", ".tpl", ".template", ".tmp"} {
		name = strings.TrimSuffix(name, ext)
	}
	name = strings.TrimLeft(noName.ReplaceAllString(name, "-"), "_.-")
	if name == "" {
		name = "file"
	}
	return name
}
