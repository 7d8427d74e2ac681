package daemon

import (
	"context"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/member"
)

// meeting gives where the hosts of the fleet meet, if a service asks for it.
func (d *Daemon) meeting(ctx context.Context, cfg *config.Config, asked bool) member.Place {
	if !asked || cfg.Fleet.Table == "" {
		return member.Place{FleetLock: cfg.Fleet.FleetLock}
	}
	table, err := d.compiler.Sources.Table(ctx, cfg)
	if err != nil {
		d.log.Error("the fleet's table cannot be asked", "table", cfg.Fleet.Table, "err", err)
		return d.meets
	}
	d.meets = member.Place{Table: table}
	return d.meets
}
