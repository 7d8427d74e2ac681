package config

import (
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/fault"
)

// A Text is a config that is in no file, whole: there is no conf.d beside it. All else is read from
// this machine.
type Text struct {
	Path string // where it would be; what is relative in it is relative to that
	Body string
}

// ReadFile is that of Files.
func (t Text) ReadFile(path string, limit int64) ([]byte, error) {
	switch {
	case path != t.Path:
		return Machine.ReadFile(path, limit)
	case int64(len(t.Body)) > limit:
		return nil, unix.EFBIG
	}
	return []byte(t.Body), nil
}

// ReadDir is that of Files.
func (t Text) ReadDir(path string) ([]string, error) {
	if path == filepath.Join(filepath.Dir(t.Path), "conf.d") {
		return nil, nil
	}
	return Machine.ReadDir(path)
}

// Only puts one service in the place of all: it has one file, of this template, and the vars that
// hold for all services. The file is written nowhere.
func (c *Config) Only(t Template) {
	at := fault.Place{File: t.Place.File}
	f := File{Place: at, ModeAt: at, Template: t, Path: t.Path, UID: -1, GID: -1, Mode: newFileMode, KeepMode: true}
	c.Services, c.Parts = []Service{{Name: filepath.Base(t.Place.File), Place: at, Vars: c.vars, Files: []File{f}}}, nil
}
