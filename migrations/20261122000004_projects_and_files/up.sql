-- Projects, their files, and the bytes a person may keep.

create table public.projects (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete restrict,
    name text not null check (char_length(name) between 1 and 200),
    description text not null default '' check (char_length(description) <= 10000),
    type text not null default 'other' check (type in
        ('feature_film', 'short_film', 'commercial', 'music_video', 'documentary', 'social_media', 'other')),
    status text not null default 'draft'
        check (status in ('draft', 'in_progress', 'review', 'completed', 'archived')),
    settings jsonb not null default '{}'
        check (jsonb_typeof(settings) = 'object' and octet_length(settings::text) <= 65536),
    collaboration_settings jsonb not null default '{}'
        check (jsonb_typeof(collaboration_settings) = 'object'
            and octet_length(collaboration_settings::text) <= 65536),
    thumbnail_url text check (char_length(thumbnail_url) <= 2048),
    file_count integer not null default 0 check (file_count >= 0),
    total_duration_us bigint not null default 0 check (total_duration_us >= 0),
    export_count integer not null default 0 check (export_count >= 0),
    last_opened_at timestamptz,
    deleted_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (id, user_id)
);
create index projects_user_id_idx on public.projects (user_id, created_at desc, id desc);
create index projects_deleted_at_idx on public.projects (deleted_at) where deleted_at is not null;

-- A row leaves by tombstone: trashed, purged, and deleted last, after its objects.
create table public.project_files (
    id uuid primary key default gen_random_uuid(),
    project_id uuid not null,
    user_id uuid not null references auth.users (id) on delete restrict,
    filename text not null check (char_length(filename) between 1 and 255),
    original_name text not null check (char_length(original_name) between 1 and 255),
    file_type text not null check (file_type in ('video', 'audio', 'image', 'data')),
    mime_type text not null check (char_length(mime_type) between 3 and 255),
    file_size bigint not null check (file_size >= 0),
    storage_path text check (char_length(storage_path) <= 1024),
    thumbnail_path text check (char_length(thumbnail_path) <= 1024),
    thumbnail_status text not null default 'none'
        check (thumbnail_status in ('none', 'ready', 'unavailable', 'failed')),
    duration_us bigint check (duration_us >= 0),
    width integer check (width >= 0),
    height integer check (height >= 0),
    fps_num integer check (fps_num >= 0),
    fps_den integer check (fps_den > 0),
    codec text check (char_length(codec) <= 100),
    bit_rate bigint check (bit_rate >= 0),
    media jsonb not null default '{}' check (octet_length(media::text) <= 262144),
    declared_sha256 bytea check (octet_length(declared_sha256) = 32),
    sha256 bytea check (octet_length(sha256) = 32),
    received_bytes bigint not null default 0 check (received_bytes >= 0),
    processing_status text not null default 'pending' check (processing_status in
        ('pending', 'uploading', 'uploaded', 'verifying', 'verified', 'processing', 'ready', 'failed',
         'rejected', 'quarantined', 'expired', 'trashed', 'purged')),
    processing_error text check (char_length(processing_error) <= 2000),
    processing_progress smallint not null default 0 check (processing_progress between 0 and 100),
    credits_cost bigint not null default 0 check (credits_cost >= 0),
    upload_expires_at timestamptz,
    upload_lease_until timestamptz,
    upload_lease_token uuid,
    confirmed_at timestamptz,
    trashed_at timestamptz,
    metadata jsonb not null default '{}' check (octet_length(metadata::text) <= 65536),
    tags text[] not null default '{}'
        check (cardinality(tags) <= 64 and octet_length(array_to_string(tags, ',')) <= 8192),
    is_favorite boolean not null default false,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check ((fps_num is null) = (fps_den is null)),
    -- A file belongs to its project's owner, always.
    foreign key (project_id, user_id) references public.projects (id, user_id) on delete restrict
);
create index project_files_project_id_idx on public.project_files (project_id, created_at desc, id desc);
create index project_files_user_id_idx on public.project_files (user_id, created_at desc, id desc);
create index project_files_upload_expiry_idx on public.project_files (upload_expires_at)
    where processing_status in ('pending', 'uploading', 'uploaded', 'expired');
create index project_files_trashed_at_idx on public.project_files (trashed_at)
    where processing_status = 'trashed';
create index project_files_processing_idx on public.project_files (updated_at)
    where processing_status in ('verifying', 'verified', 'processing');
create index project_files_purged_idx on public.project_files (id) where processing_status = 'purged';

create table public.storage_buckets (
    name text primary key check (char_length(name) between 3 and 63),
    purpose text not null check (char_length(purpose) <= 200),
    is_public boolean not null default false check (not is_public),
    created_at timestamptz not null default now()
);

-- The sum may lie over the limit after a downgrade: only the reserving statement compares them.
create table public.storage_quotas (
    user_id uuid primary key references auth.users (id) on delete restrict,
    used_bytes bigint not null default 0 check (used_bytes >= 0),
    reserved_bytes bigint not null default 0 check (reserved_bytes >= 0),
    pending_delete_bytes bigint not null default 0 check (pending_delete_bytes >= 0),
    limit_bytes bigint not null check (limit_bytes >= 0),
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table public.storage_reservations (
    file_id uuid primary key references public.project_files (id) on delete restrict,
    user_id uuid not null references auth.users (id) on delete restrict,
    bytes bigint not null check (bytes >= 0),
    created_at timestamptz not null default now()
);
create index storage_reservations_user_id_idx on public.storage_reservations (user_id);

alter table public.projects enable row level security;
alter table public.projects force row level security;
alter table public.project_files enable row level security;
alter table public.project_files force row level security;
alter table public.storage_buckets enable row level security;
alter table public.storage_buckets force row level security;
alter table public.storage_quotas enable row level security;
alter table public.storage_quotas force row level security;
alter table public.storage_reservations enable row level security;
alter table public.storage_reservations force row level security;
