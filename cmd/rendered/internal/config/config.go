// Package config reads the config file: strict YAML in, checked values out, and everything that is
// wrong with it at once, each with its place.
package config

import (
	"io/fs"
	"log/slog"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/verify"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch/cron"
	"github.com/rendered/rendered/watch/inputs"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/probe"
)

// A Config is a config file and its conf.d, with every default in place and every path absolute.
// What is wrong with it stands with what it concerns.
type Config struct {
	Path     string         // of the main file
	Inputs   []inputs.Input // conf.d and every file that was read, Seen before
	ConfD    string         // the directory of the parts, whether or not it is there
	Splay    *time.Duration // nil: the gap between two runs, at most 5 min
	Settle   time.Duration
	Values   string // path of the file that answers lookups; "": AWS does
	StateDir string
	Log      Log
	AWS      aws.Options // Accounts are those beside the daemon's own
	Queue    string      // URL of the SQS queue that change notices come through; "": none
	Metrics  Metrics
	// Inventory is the directory of the SSM Agent, which is to report which versions of what is
	// looked up the files are of; "": it is not.
	Inventory string
	Fleet     Fleet
	Faults    fault.List // of what concerns all services
	Services  []Service  // by name, in order; those with Faults are not complete
	Parts     []Part     // files of conf.d with faults that concern all services in them

	files    map[string]*reader // by path
	vars     map[string]any     // for all services, with those set from outside
	reserved map[string]string  // what else is read from a path, links followed
}

// A Part is a file of conf.d with what is wrong with it as a whole: which services it has may not
// be known.
type Part struct {
	Path   string
	Faults fault.List
}

// Log says what the log looks like.
type Log struct {
	Level  slog.Level
	Format string // auto, text or json
}

// Metrics says where metrics are to be had.
type Metrics struct {
	Listen   string // the address of the listener, HOST:PORT; "": there is none
	Textfile string // the path that they are written to; "": they are not
	Refs     bool   // what is looked up is named in them
}

// A Service is some files and the dependents that read them.
type Service struct {
	Name     string
	Place    fault.Place
	Schedule cron.Schedule
	// Vars are the config's, the service's and those set from outside, of which the latter goes
	// first.
	Vars        map[string]any
	MinInterval time.Duration // 0: none
	Windows     cron.Windows  // of notices that may interrupt; none: at any time
	Hold        bool          // nothing is written but in Windows
	Files       []File
	Check       command.Check // sees all new files in their places; the zero Check is none
	Verify      []verify.TLS  // what must hold of the files before they are written
	Notify      []notify.Action
	NoticesAt   []fault.Place // of each of Notify
	// Healthy is what must be well after the notices, for so long, within so long a time. Where
	// there is none the times are 0.
	Healthy                   []probe.Probe
	HealthyAt                 []fault.Place // of each
	HealthyFor, HealthyWithin time.Duration
	Rollback                  string        // config, always or never
	Gate                      command.Check // must succeed for files to be written
	Before                    command.Check // before a change; the zero Check is none
	After                     command.Check // after it
	OnFailure                 command.Check // is run when something failed
	Post                      string        // the address that this is sent to; "": none
	Rollout                   Rollout
	RolloutAt                 fault.Place
	wantsMost, wantsFirst     bool // Rollout says how many work at once; that one goes first
	// Written is what the config says of it, without its Rollout: the same on every host, wherever
	// in its file it is. "": it is in no fleet.
	Written string
	CheckAt fault.Place
	Allow   []Rule     // what check does not warn of
	Faults  fault.List // what is wrong with it, or with its part of the config

	keyed  bool   // a file of it stands for one for each key
	hold   string // as it is written
	writes []destination
	reads  []reading
}

// A File is one template and the path it is written to.
type File struct {
	Place    fault.Place
	Template Template
	Path     string
	Written  string // Path as the config writes it, with its actions
	// Each is a pipeline that gives a map or a list; where it has Content, the file stands for one
	// for each element, and Path has render.AnyKey in the place of the key.
	Each     Template
	PathOf   func(key string) (string, *fault.Fault) // gives the path for a key
	Remove   bool                                    // one whose key is gone is removed
	UID, GID int                                     // -1: as it is
	Mode     fs.FileMode
	ModeAt   fault.Place // Place where no mode was set
	KeepMode bool        // no mode was set; Mode is that of a new file
	DirMode  fs.FileMode // 0: a missing directory is an error
	Format   format.Format
	Check    command.Check
	Left     string // delimiters; "": {{ and }}
	Right    string

	MaxSize    int  // bytes; 0: render.DefaultMaxSize
	InPlace    bool // write to the file that is there
	AllowEmpty bool // nothing may take the place of something
	Free       bool // values may bring structure of their own
}

// Unplaced gives the file without where the config has it, which does not make it another file.
func (f File) Unplaced() File {
	f.Place, f.ModeAt, f.Template.Place = fault.Place{}, fault.Place{}, fault.Place{}
	f.Template.Line, f.Template.Column = 0, 0
	if !f.IsEach() {
		f.Written = ""
	}
	f.Each, f.PathOf = Template{Content: f.Each.Content}, nil
	return f
}

// A Template is where a file's template comes from: a file of its own, or the config itself.
type Template struct {
	Path    string // absolute; "": Content is the template
	Written string // Path as the config writes it
	Content string
	Place   fault.Place // of the path, or of the content
	// Dir is where partials are, and what relative paths in the template are relative to.
	Dir string

	// What to add to the line and column of a place in Content to find it in the config. Where the
	// config does not show Content as it is (escapes, >), they are 0 and Place.File says where the
	// content begins: a place is then one beneath that.
	Line, Column int
}

// Options are what is set from outside the config, and wins.
type Options struct {
	Files     Files // what the config is read from; nil: Machine
	Vars      map[string]string
	Values    string // "": as configured
	LogLevel  string // likewise
	LogFormat string // likewise
	Root      string // put below it everything that is written; "": nowhere
	// Env and Hostname are what paths know of the machine; nil and "": what is so here.
	Env       func(name string) (string, bool)
	Hostname  string
	Strangers bool // owners whom this machine does not know are no fault, and own nothing
}

const (
	defaultSchedule = "*/5 * * * *"
	defaultSettle   = 2 * time.Second
	defaultStateDir = "/var/lib/rendered"

	defaultLevel     = "info"
	defaultLogFormat = "auto"

	defaultConcurrency = 8
	defaultTimeout     = 30 * time.Second

	agentDir    = "/var/lib/amazon/ssm"
	newFileMode = 0o600
	maxSize     = 16 << 20 // bytes of one file
)
