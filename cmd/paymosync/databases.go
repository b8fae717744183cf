package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/paymosync/paymosync/migrations"
)

// place is a database that the configuration names.
type place struct {
	variable    string // that holds its address
	address     Secret
	credentials string   // path in Vault of what makes the user and the password; "" for those of the address
	sets        []string // of migrations: what lies in it; none: everything
}

// places are all databases that the configuration names.
func (c Config) places() []place {
	if !c.WarehouseURL.IsSet() {
		return []place{c.warehousePlace()}
	}
	return []place{c.warehousePlace(), c.queuePlace()}
}

// name is how people are told of the database.
func (p place) name() string {
	if len(p.sets) == 0 {
		return "the database"
	}
	return "the database of " + p.variable
}

// warehousePlace is where the rows and the bookkeeping are.
func (c Config) warehousePlace() place {
	if !c.WarehouseURL.IsSet() {
		return place{variable: "DATABASE_URL", address: c.DatabaseURL, credentials: c.DatabaseCredentials}
	}
	return place{variable: "WAREHOUSE_URL", address: c.WarehouseURL, credentials: c.WarehouseCredentials, sets: []string{migrations.Bookkeeping, migrations.Warehouse}}
}

// queuePlace is where the queue is, unless it is in the warehouse's database.
func (c Config) queuePlace() place {
	return place{variable: "DATABASE_URL", address: c.DatabaseURL, credentials: c.DatabaseCredentials, sets: []string{migrations.River}}
}

// key is the database's name in what programs read.
func (p place) key() string {
	if p.variable == "WAREHOUSE_URL" {
		return "warehouse"
	}
	return "database"
}

// placeError is an error of one of two databases.
type placeError struct {
	key string
	error
}

func (e placeError) Unwrap() error { return e.error }

// databases are those of a command. Both are one and the same unless WAREHOUSE_URL names
// another one. The queue is nil where its address is not known.
type databases struct{ warehouse, queue *database }

// all are the databases, each once.
func (d databases) all() []*database {
	if d.queue == nil || d.queue == d.warehouse {
		return []*database{d.warehouse}
	}
	return []*database{d.warehouse, d.queue}
}

// Close closes them.
func (d databases) Close() {
	for _, database := range d.all() {
		database.Close()
	}
}

// openDatabases opens the databases, whatever is in them.
func openDatabases(ctx context.Context, config Config, vault *Vault) (databases, error) {
	warehouse, err := openDatabase(ctx, config, config.warehousePlace(), vault, nil)
	if err != nil {
		return databases{}, err
	}
	return besideWarehouse(ctx, config, vault, warehouse)
}

// besideWarehouse adds the queue to an open warehouse, which it closes when it fails.
func besideWarehouse(ctx context.Context, config Config, vault *Vault, warehouse *database) (databases, error) {
	switch {
	case !config.WarehouseURL.IsSet():
		return databases{warehouse, warehouse}, nil
	case !config.DatabaseURL.IsSet():
		return databases{warehouse: warehouse}, nil
	}
	queue, err := openDatabase(ctx, config, config.queuePlace(), vault, nil)
	if err != nil {
		warehouse.Close()
	}
	return databases{warehouse, queue}, err
}

// openMigrated opens a warehouse that has the layout of this version. It changes nothing,
// and says what is missing in one that has not.
func openMigrated(ctx context.Context, config Config, vault *Vault, parameters map[string]string) (*database, error) {
	warehouse, err := openDatabase(ctx, config, config.warehousePlace(), vault, parameters)
	if err != nil {
		return nil, err
	}
	if err := warehouse.layout(ctx); err != nil {
		warehouse.Close()
		return nil, err
	}
	return warehouse, nil
}

// openReadOnly is openMigrated with sessions that cannot write. A connection pooler that
// does not know how to begin such sessions gets the usual ones.
func openReadOnly(ctx context.Context, config Config, vault *Vault) (*database, error) {
	warehouse, err := openMigrated(ctx, config, vault, map[string]string{"default_transaction_read_only": "on"})
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == protocolViolation {
		return openMigrated(ctx, config, vault, nil)
	}
	return warehouse, err
}

// protocolViolation is how PgBouncer answers a parameter that it does not know.
const protocolViolation = "08P01"

// openPrepared opens a warehouse and brings it to the layout of this version, or refuses
// one that is behind.
func openPrepared(ctx context.Context, config Config, vault *Vault, log *slog.Logger) (*database, error) {
	return openPreparedAt(ctx, config, config.warehousePlace(), vault, log)
}

func openPreparedAt(ctx context.Context, config Config, where place, vault *Vault, log *slog.Logger) (*database, error) {
	opened, err := openDatabase(ctx, config, where, vault, nil)
	if err != nil {
		return nil, placeError{where.key(), err}
	}
	if err := opened.prepare(ctx, config, log); err != nil {
		opened.Close()
		return nil, placeError{where.key(), err}
	}
	return opened, nil
}
