/** The tables of the satmachineadmin extension, with the columns that docs/coming-from-satmachineadmin.md uses. */
export const OLD_BOOKS = `
    create table dca_clients (id text, user_id text, username text, status text);
    create table dca_deposits (id text, client_id text, amount integer, currency text, status text);
    create table dca_payments (id text, client_id text, amount_sats integer, amount_fiat integer,
      lamassu_transaction_id text, status text, transaction_time integer);
    create table lamassu_transactions (lamassu_transaction_id text unique, fiat_code text, transaction_time integer);
    insert into dca_clients (id, username) values ('1', 'alice'), ('2', 'bob');
    insert into dca_deposits values ('a', '1', 3000, 'GTQ', 'confirmed'), ('b', '1', 100, 'USD', 'confirmed'),
      ('c', '2', 500, 'GTQ', 'confirmed'), ('d', '2', 9, 'GTQ', 'pending');
    insert into lamassu_transactions values ('t1', 'GTQ', 1763650000), ('t2', 'USD', 1763654400);
    insert into dca_payments values ('p', '1', 1000, 120, 't1', 'confirmed', 0), ('q', '1', 900, 20, 't2', 'confirmed', 0),
      ('r', '1', 70, 7, 't1', 'failed', 0), ('s', '2', 5, 1, 't9', 'confirmed', 0);`;
