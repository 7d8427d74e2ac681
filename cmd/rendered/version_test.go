package main

import (
	"runtime/debug"
	"testing"
)

func TestBuild(t *testing.T) {
	vcs := []debug.BuildSetting{
		{Key: "vcs", Value: "git"},
		{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
		{Key: "vcs.time", Value: "2026-11-24T10:20:30Z"},
	}
	for name, c := range map[string]struct {
		set      build
		module   string
		settings []debug.BuildSetting
		want     build
	}{
		"package":           {build{"0.1.0~git7", "abc", "2026-11-20"}, "(devel)", nil, build{"0.1.0~git7", "abc", "2026-11-20"}},
		"package of clone":  {build{"0.1.0", "abc", "2026-11-20"}, "v0.1.1-0.20261124102030-0123456789ab", vcs, build{"0.1.0", "abc", "2026-11-20"}},
		"install a release": {build{}, "v1.2.3", nil, build{"1.2.3", "", ""}},
		"install a commit":  {build{}, "v0.0.0-20261124102030-0123456789ab", nil, build{"0.0.0-20261124102030-0123456789ab", "0123456789ab", "2026-11-24T10:20:30Z"}},
		"after a release":   {build{}, "v1.2.4-0.20261124102030-0123456789ab", nil, build{"1.2.4-0.20261124102030-0123456789ab", "0123456789ab", "2026-11-24T10:20:30Z"}},
		"clone at a tag":    {build{}, "v1.2.3", vcs, build{"1.2.3", "0123456789ab", "2026-11-24T10:20:30Z"}},
		"changed clone":     {build{}, "v1.2.3+dirty", vcs, build{"1.2.3+dirty", "0123456789ab", "2026-11-24T10:20:30Z"}},
		"without git":       {build{}, "(devel)", nil, build{}},
		"short revision":    {build{}, "", []debug.BuildSetting{{Key: "vcs.revision", Value: "17"}}, build{"", "17", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.set
			got.complete(&debug.BuildInfo{Main: debug.Module{Version: c.module}, Settings: c.settings})
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
