"""What the shell does for every room."""

import gc

from bot.web.app import create_app


async def test_what_was_loaded_is_not_looked_through_again_by_the_garbage_collector():
    server = await create_app(name="set_aside").create_server("127.0.0.1", 0, return_asyncio_server=True)
    gc.unfreeze()
    try:
        await server.startup()
        await server.before_start()
        await server.after_start()
        assert gc.get_freeze_count() > 10_000
        await server.before_stop()
    finally:
        server.close()
        gc.unfreeze()
