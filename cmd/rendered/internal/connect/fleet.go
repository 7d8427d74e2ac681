package connect

import (
	"context"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/watch/fleet"
	"github.com/rendered/rendered/watch/fleet/dynamo"
)

// Table gives the table that the hosts of the config's fleet meet at, which is asked until ctx
// ends. AWS is asked as for lookups, also where a values file answers these.
func (s *Sources) Table(ctx context.Context, cfg *config.Config) (fleet.Table, error) {
	source := s.AWS()
	if source == nil {
		o := cfg.AWS
		o.Version = s.Version
		var err error
		if source, err = s.openAWS(ctx, o); err != nil {
			return nil, err
		}
	}
	return dynamo.New(ctx, source.Table(cfg.Fleet.Table)), nil
}
