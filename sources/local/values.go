// Package local answers lookups from this machine: a values file that stands in for AWS, and local
// files.
//
// What is read is read anew at every Fetch, so that an edit is seen, and nothing here waits for a
// FIFO, a device or a hanging file system. No error or fault quotes a value.
package local

import (
	"context"
	"fmt"
	"sync"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// Values answers the refs of every kind that has a section in a values file:
//
//	secrets:
//	  prod/db: {username: app, password: hunter2}   # {"username":"app","password":"hunter2"}
//	  prod/db:AWSPREVIOUS: {username: app, password: hunter1}
//	  prod/token: s3cr3t
//	  prod/keystore: !!binary /u3+7QAAAAI=
//	  prod/gone: !missing
//	params:
//	  /app/db/port: 5432
//	  /app/hosts: [a, b]
//	  /app/forbidden: !denied
//	imds:
//	  placement/region: eu-west-1
//	aws: {region: eu-west-1, account: "111111111111"}
//
// Texts are taken as they are written: 0123, 1.10 and true stay what they are. A map or a list
// answers as a JSON secret, its keys in the order of the file. !missing, !denied and !throttled
// rehearse what AWS may answer.
type Values struct {
	path string
}

// NewValues gives the source over the file at an absolute path. The file need not exist yet.
func NewValues(path string) *Values { return &Values{path: path} }

// CheckValues gives everything that is wrong with the values file at path; nil where it can be
// used. Who else than root can change it is not looked at.
func CheckValues(path string) fault.List {
	_, faults := load(path, disk.ReadFile)
	return faults
}

// Fetch reads the file once and answers every ref from it. Where the file cannot be used, or others
// than root can change it by now and we are root, every ref is Unavailable.
func (v *Values) Fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	read := sync.OnceValues(func() (*document, fault.List) { return load(v.path, disk.ReadTrusted) })
	fetch(ctx, refs, deliver, func(r sources.Ref) sources.Result {
		doc, faults := read()
		if len(faults) > 0 {
			return failed(r, sources.Unavailable, summary(faults), faults[0].Hints...)
		}
		return doc.answer(r)
	})
}

// load reads the values file by one of the functions of disk.
func load(path string, read func(string, int64) ([]byte, error)) (*document, fault.List) {
	text, err := read(path, maxSize)
	if err != nil {
		return nil, fault.List{{Place: fault.Place{File: path}, What: disk.Reason(err).Error(), Hints: disk.Hints(err)}}
	}
	return parse(path, text)
}

func summary(faults fault.List) string {
	s := faults[0].Error()
	if n := len(faults) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}
