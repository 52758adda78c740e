-- +goose Up

-- For a mutant of an SQL function: replaces a text in it as it is after all migrations, whichever of them defined it last. `run` adds this
-- migration to the copy that it breaks; the mutant is the next one.
-- +goose StatementBegin
create function mutate(name text, was text, becomes text)
returns void language plpgsql as $$
declare
    definition text := pg_get_functiondef(name::regproc);
begin
    if strpos(definition, was) = 0 then
        raise exception 'the mutant changes nothing: % does not say %', name, was;
    end if;
    execute replace(definition, was, becomes);
end $$;
-- +goose StatementEnd
